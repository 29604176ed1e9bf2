"""Clients from PyPI against the stand-in, unchanged.

    python3 -m venv /tmp/clients && /tmp/clients/bin/pip install 'tritonclient[http]' kserve prometheus_client numpy
    cargo run --release -p mlp-live --example front_stand_in -- 8123 &
    /tmp/clients/bin/python engine/live/tests/front/clients.py 8123
"""

import asyncio
import sys
import urllib.request

import numpy as np
import tritonclient.http as triton
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from prometheus_client.parser import text_string_to_metric_families
from tritonclient.utils import InferenceServerException

port = sys.argv[1]
columns = {
    "hr": np.array([5, 6], np.int64),
    "temp": np.array([0.5, 1.0], np.float32),
    "humid": np.array([0.25, np.nan], np.float64),
    "weather": np.array(["mist", "rain"], np.object_),
    "working": np.array([True, False]),
}
datatypes = {"hr": "INT64", "temp": "FP32", "humid": "FP64", "weather": "BYTES", "working": "BOOL"}
expected = [1114.25, 1020.0]


def triton_inputs(binary, shape):
    for name, values in columns.items():
        given = triton.InferInput(name, shape, datatypes[name])
        if not binary:
            values = np.nan_to_num(values) if name == "humid" else values
        given.set_data_from_numpy(values.reshape(shape), binary_data=binary)
        yield given


client = triton.InferenceServerClient(f"127.0.0.1:{port}")
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready("production") and client.is_model_ready("production", "1")
assert not client.is_model_ready("production", "9")
assert client.get_server_metadata()["name"] == "mlp"
assert [i["name"] for i in client.get_model_metadata("production")["inputs"]] == list(columns)
for binary in (True, False):
    for shape in ([2], [2, 1]):
        inputs = list(triton_inputs(binary, shape))
        for outputs in (None, [triton.InferRequestedOutput("prediction", binary_data=binary)]):
            result = client.infer("production", inputs, outputs=outputs, request_id="my-id")
            assert result.as_numpy("prediction").tolist() == expected
            assert result.get_response()["id"] == "my-id"
        result = client.infer("churn", inputs, model_version="1")
        assert result.as_numpy("prediction").tolist() == [b"no", b"no"] or result.as_numpy("prediction").tolist() == ["no", "no"]
        assert np.allclose(result.as_numpy("probabilities"), [[0.88575, 0.11425], [0.98, 0.02]])
try:
    client.infer("production", inputs[1:])
    raise SystemExit("a missing feature was accepted")
except InferenceServerException as error:
    assert "hr" in error.message() and "missing" in error.message(), error.message()


async def kserve():
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    url = f"http://127.0.0.1:{port}"
    assert await client.is_server_live(url) and await client.is_server_ready(url)
    assert await client.is_model_ready(url, "production")
    for binary in (False, True):
        inputs = []
        for name, values in columns.items():
            given = InferInput(name, [2], datatypes[name])
            values = np.nan_to_num(values) if name == "humid" and not binary else values
            given.set_data_from_numpy(values, binary_data=binary)
            inputs.append(given)
        request = InferRequest(model_name="production", infer_inputs=inputs, request_id="k-1")
        response = await client.infer(url, request, model_name="production")
        assert response.id == "k-1" and response.outputs[0].as_numpy().tolist() == expected, response


asyncio.run(kserve())

with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as reply:
    families = {family.name: family for family in text_string_to_metric_families(reply.read().decode())}
answered = sum(s.value for s in families["mlp_requests"].samples if s.labels["code"] == "200")
timed = sum(s.value for s in families["mlp_request_seconds"].samples if s.name.endswith("_count"))
assert answered == timed > 0, (answered, timed)
print("ok:", ", ".join(sorted(families)))
