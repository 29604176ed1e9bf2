"""Clients of the Open Inference Protocol, unchanged, against `mlp serve`; see serving.rs. Needs tritonclient[http]."""

import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

work = json.load(open(sys.argv[1]))
types = {"INT64": np.int64, "FP64": np.float64, "BYTES": np.object_}
client = triton.InferenceServerClient(work["url"])
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready(work["model"])
metadata = client.get_model_metadata(work["model"])
assert [column["name"] for column in metadata["inputs"]] == [column["name"] for column in work["columns"]]


def tensors(binary):
    for column in work["columns"]:
        values = np.array(column["values"], types[column["datatype"]])
        tensor = triton.InferInput(column["name"], [len(values)], column["datatype"])
        tensor.set_data_from_numpy(values, binary_data=binary)
        yield tensor


for binary in (True, False):
    inputs = list(tensors(binary))
    result = client.infer(work["model"], inputs, request_id=f"client-{binary}")
    assert np.allclose(result.as_numpy("prediction"), work["expected"], rtol=0, atol=1e-9)
    assert result.get_response()["id"] == f"client-{binary}"
    try:
        client.infer(work["model"], inputs[1:])
        raise SystemExit("a request without a feature was accepted")
    except InferenceServerException as error:
        assert work["columns"][0]["name"] in error.message(), error.message()
print("ok")
