#!/usr/bin/env bash
# What `make demo` runs: catalog -> index -> search page. All of it stays under .demo/.
# Nothing here remembers what was done: each step finds out by itself that there is nothing left to do.
set -euo pipefail
cd "$(dirname "$0")/.."

python=.venv/bin/python
model=${MODEL:-builtin}
port=${PORT:-8000}
# The demo is the same everywhere, whatever the environment says of another index.
unset "${!STORELENS_@}"

if [ -n "${CATALOG:-}" ]; then
    catalog=$CATALOG
else
    catalog=.demo/catalog/catalog.jsonl
    "$python" -m demo .demo/catalog >&2
fi

# An index for each catalog and model, so that none is pruned or rebuilt for the sake of another.
data_dir=.demo/index
if [ -n "${CATALOG:-}" ] || [ "$model" != builtin ]; then
    data_dir=.demo/index-$(printf '%s\n%s' "$(realpath -- "$catalog")" "$model" | cksum | cut -d ' ' -f 1)
fi

"$python" -m ingest "$catalog" --model "$model" --data-dir "$data_dir"

if [ "${DEMO_ONLY:-}" = ingest ]; then
    echo "The index is in $data_dir; serve it with: $python -m api --data-dir $data_dir" >&2
    exit 0
fi

echo "Search page: http://127.0.0.1:$port/ (ready in a few seconds; Ctrl-C stops it)" >&2
exec "$python" -m api --data-dir "$data_dir" --port "$port"
