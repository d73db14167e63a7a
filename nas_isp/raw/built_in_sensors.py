"""Descriptions of sensors whose public data sets come without one."""

from nas_isp.raw.sensor import SensorDescription

ULTRAISP = SensorDescription(
    name="UltraISP (Sony IMX586)",
    cfa="RGGB",
    bits=10,
    black=64,
    white=1023,
    shift=2,
    note="MAI 2021/2022 learned smartphone ISP data: 16-bit PNG holding 10-bit values << 2.",
)

ZRR = SensorDescription(
    name="Zurich RAW to RGB (Huawei P20)",
    cfa="RGGB",
    bits=10,
    black=(58, 60, 61, 62),
    white=1023,
    note="16-bit PNG holding 10-bit values; black levels as the published unpaired checkpoints take them.",
)

UP_ISP = SensorDescription(
    name="UP-ISP (Pixel 6, synthetic)",
    cfa="RGGB",
    bits=10,
    black=0,
    white=1023,
    layout="packed-rggb",
    note="NTIRE 2026 unpaired ISP data: .npy of four planes, black level already removed.",
)

NOKIA_N900 = SensorDescription(
    name="Nokia N900",
    cfa="GRBG",
    bits=10,
    black=25,
    white=1023,
    white_balance=(1.565, 1.0, 1.166),
    color_matrix=((1.258, -0.383, 0.125), (-0.209, 1.362, -0.153), (-0.049, -0.628, 1.677)),
    note="Frankencamera captures as PNG; colors are those of its calibration at 7000 K.",
)
