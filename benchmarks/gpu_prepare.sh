#!/usr/bin/env bash
# Makes benchmarks/gpu_data (under 50 MB, ignored by git): what benchmarks/gpu.sh needs and a bare machine lacks.
#
#   bash benchmarks/gpu_prepare.sh        with the project's own Python first on the PATH, or PYTHON=...
#
# Prepared patches of ../shared/data/bench/synthphone, or of the demo set where that is not there, and wheels for
# Python 3.12 on Linux x86-64, in the versions of constraints.txt. PyTorch and NumPy the machine has to have.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
data=benchmarks/gpu_data
bench=${NAS_ISP_SHARED:-../shared}/data/bench/synthphone
packages=(annotated-types pillow pydantic pydantic_core PyYAML safetensors typing-inspection typing_extensions)

rm -rf "$data"
mkdir -p "$data/wheels"
[ -d "$bench" ] || bench=demo
PYTHONPATH=$PWD "$python" benchmarks/gpu.py "$data/prepared" --prepare "$bench"
wanted=()
for package in "${packages[@]}"; do
    wanted+=("$(grep -ix "$package==.*" constraints.txt)")
done
"$python" -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
    --dest "$data/wheels" "${wanted[@]}"
size=$(du -sm "$data" | cut -f1)
echo "$data: $size MB, patches of $bench"
if [ "$size" -ge 50 ]; then
    echo "$data: too large to be carried; under 50 MB are wanted" >&2
    exit 1
fi
