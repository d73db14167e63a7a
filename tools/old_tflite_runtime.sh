#!/usr/bin/env bash
# Makes FOLDER a virtual environment with tflite-runtime 2.14 (the last release under that name, which many boards
# still carry) and the numpy 1 that it needs. Does nothing where it is there already.
#
# Run: tools/old_tflite_runtime.sh FOLDER [PYTHON3.11]
set -euo pipefail
exec 9<"$0" && flock 9 # one at a time
folder=$1
python=${2:-python3.11}
[ -f "$folder/.ready" ] && exit 0
"$python" -m venv --clear "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=:all: \
    tflite-runtime==2.14.0 numpy==1.26.4
touch "$folder/.ready"
