#!/usr/bin/env bash
# Assembles what candle's `cuda` feature is compiled and linked with from NVIDIA's Python packages: no root, no GPU, no
# driver. Prints the environment for cargo.
#
#   eval "$(scripts/cuda-toolkit.sh [FOLDER])"        by default target/cuda-13.0
#   cargo build --release -p spiking-neurons-candle --features cuda
#
# The folder takes 1.3 GB. The versions are those of CUDA 13.0, which drivers from 580 support.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath -m "${1:-${CARGO_TARGET_DIR:-target}/cuda-13.0}")
home=$folder/nvidia/cu13

if [ ! -e "$folder/complete" ]; then
    rm -rf "$folder"
    python3 -m pip install --quiet --no-deps --target "$folder" \
        nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-runtime==13.0.96 \
        nvidia-cuda-cccl==13.0.85 nvidia-curand==10.4.0.35 nvidia-cuda-nvrtc==13.0.88 nvidia-cublas==13.1.1.3 >&2
    # Zip archives do not keep permissions.
    chmod -R u+x "$home/bin" "$home/nvvm/bin"
    ln -sfn lib "$home/lib64"
    # The linker looks for names without versions.
    for library in "$home"/lib/lib*.so.*; do
        name=$(basename "$library")
        [ -e "$home/lib/${name%%.so.*}.so" ] || ln -s "$name" "$home/lib/${name%%.so.*}.so"
    done
    # For linking to libraries that come with the driver or with NCCL, others with their names and functions will do.
    manifest=$(cargo metadata --locked --format-version 1 |
        python3 -c 'import json, sys; print(*(p["manifest_path"] for p in json.load(sys.stdin)["packages"] if p["name"] == "cudarc"))')
    mkdir -p "$home/lib/stubs"
    stub() { # library, its version, bindings of cudarc, prefix of the functions
        grep -ohE "\\bfn $4[A-Z][A-Za-z0-9_]*" "$(dirname "$manifest")/src/$3/sys/mod.rs" | sort -u |
            sed -E 's/fn (.*)/void \1(void) {}/' |
            cc -shared -nostdlib "-Wl,-soname,lib$1.so.$2" -o "$home/lib/stubs/lib$1.so" -x c -
    }
    stub cuda 1 driver cu
    stub nccl 2 nccl nccl
    touch "$folder/complete"
fi

# `CUDA_COMPUTE_CAP` is the architecture that candle's kernels are compiled for; nothing asks a GPU for it then.
echo "export CUDA_HOME='$home' CUDA_COMPUTE_CAP='${CUDA_COMPUTE_CAP:-90}' PATH='$home/bin':\"\$PATH\""
