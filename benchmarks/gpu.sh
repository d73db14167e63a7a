#!/usr/bin/env bash
# Measures a GPU in under eight minutes, from a checkout and benchmarks/gpu_data (see gpu_prepare.sh), without a network.
#
#   bash benchmarks/gpu.sh [-o RESULT.json] [--small]
#
# Needs Python 3.12 with torch >= 2.11 and NumPy. Wheels of what else is missing are installed into a folder that goes
# away. PYTHON names another interpreter, GPU_DATA another folder of data.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
data=${GPU_DATA:-benchmarks/gpu_data}
if [ ! -f "$data/prepared/prepared.json" ]; then
    echo "$data: no prepared data; run benchmarks/gpu_prepare.sh where the project is installed" >&2
    exit 2
fi
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
missing=()
for wheel in "$data"/wheels/*.whl; do
    [ -e "$wheel" ] || continue
    name=$(basename "$wheel")
    "$python" -c "import sys, importlib.metadata; importlib.metadata.version(sys.argv[1])" "${name%%-*}" 2>/dev/null ||
        missing+=("$wheel")
done
if [ "${#missing[@]}" -gt 0 ]; then
    "$python" -m pip install --quiet --no-index --no-deps --no-compile --target "$site" "${missing[@]}"
fi
PYTHONPATH="$PWD:$site" "$python" benchmarks/gpu.py "$data/prepared" "$@"
