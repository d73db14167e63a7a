#!/usr/bin/env bash
# Makes FOLDER a root with Debian 12's 64-bit ARM Python 3.11 and qemu to run it on another processor:
# FOLDER/ai-edge-litert and FOLDER/tflite-runtime are that Python with the package of the name. Does nothing where it is
# there already. Packages are unpacked in FOLDER and apt keeps its state there: nothing of the system is changed.
# ai-edge-litert is 2.1.0 because 2.3.0 crashes under qemu 7.2.
#
# Run: tools/arm_emulation.sh FOLDER [PYTHON]
set -euo pipefail
exec 9<"$0" && flock 9 # one at a time
mkdir -p "$1"
folder=$(realpath "$1")
python=${2:-python3}
[ -f "$folder/.ready" ] && exit 0

stop() { echo "ARM cannot be emulated here: $1" >&2 && exit 1; }
or_stop() { "$@" >"$folder/log" 2>&1 || stop "${1##*/} says: $(tail -n 1 "$folder/log")"; }

grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release || stop "the system is not Debian 12"
mkdir -p "$folder"/apt/{lists,archives}/partial
touch "$folder/apt/status"
{
    # The system's settings, without the commands that it runs after an update.
    apt-config dump | grep -v -e Invoke -e '^APT::Architecture'
    cat <<END
Dir::Etc::Parts "/dev/null";
Dir::Etc::Main "/dev/null";
Dir::State "$folder/apt";
Dir::State::Status "$folder/apt/status";
Dir::Cache "$folder/apt";
APT::Sandbox::User "root";
APT::Architecture "arm64";
APT::Architectures "arm64,$(dpkg --print-architecture)";
END
} >"$folder/apt/apt.conf"
export APT_CONFIG=$folder/apt/apt.conf
or_stop apt-get update
or_stop apt-get install --yes --download-only --no-install-recommends \
    python3.11 libstdc++6 "qemu-user-static:$(dpkg --print-architecture)"
for package in "$folder"/apt/archives/*.deb; do
    case $package in
        */qemu-*) dpkg --fsys-tarfile "$package" | tar -x -C "$folder" ./usr/bin/qemu-aarch64-static ;;
        *) dpkg --extract "$package" "$folder" ;;
    esac
done
rm -r "$folder/apt"

for packages in "ai-edge-litert==2.1.0 numpy==2.4.6" "tflite-runtime==2.14.0 numpy==1.26.4"; do
    name=${packages%%==*}
    # shellcheck disable=SC2086 # two packages
    or_stop "$python" -m pip install --quiet --disable-pip-version-check --upgrade --only-binary=:all: \
        --python-version 3.11 --platform manylinux_2_17_aarch64 --platform manylinux_2_27_aarch64 \
        --platform manylinux_2_34_aarch64 --target "$folder/site/$name" $packages
    cat >"$folder/$name" <<END
#!/bin/sh
PYTHONPATH='$folder/site/$name' exec '$folder/usr/bin/qemu-aarch64-static' -L '$folder' '$folder/usr/bin/python3.11' "\$@"
END
    chmod +x "$folder/$name"
done
rm "$folder/log"
touch "$folder/.ready"
