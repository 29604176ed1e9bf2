# A page about the model. Relative paths work too: the program runs in a folder of its own with `in/` and `out/`.
set -eu
{
    echo "# Centres"
    echo
    echo "The model has $(wc -c < in/model | tr -d ' ') bytes. Its numbers on rows that it did not learn from:"
    echo
    tr -d '{}"' < in/scores.json | tr ',' '\n' | sed 's/^ */- /'
    echo
} > out/page
