#!/usr/bin/env bash
# The whole path on the embedded demo set: search, front, export of its knee, one developed picture.
set -euo pipefail
bin=${BIN:-.venv/bin} out=${OUT:-demo_out} budget=${BUDGET:-3m}
mkdir -p "$out"

"$bin/nas-isp" search --budget "$budget" --device pixel4-gpu --study "$out/study"
"$bin/nas-isp" pareto "$out/study" --plot "$out/front.png" > /dev/null
"$bin/nas-isp" export "$out/study:knee" --to tflite --input-size 128x128 -o "$out/knee.tflite"
raw=$(ls "$out"/study/data/demo/val/raw/*.png | head -n 1)
"$bin/nas-isp" develop "$out/knee.tflite" "$raw" -o "$out/developed.png" --compare
"$bin/nas-isp" evaluate "$out/knee.tflite" --pairs "$out/study/data/demo/val" --baseline "$out/study"

echo
echo "Results in $out/: study/report.html (front, samples), front.png, knee.tflite, developed.png"
