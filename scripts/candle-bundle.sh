#!/usr/bin/env bash
# Builds what checks candle on a GPU into one folder: the tests of `neurons-candle/tests/cuda.rs`, the examples, and a script that
# runs them. The folder works on any x86-64 Linux machine with an NVIDIA driver (580 or later) and CUDA's libraries, which
# PyTorch brings; Rust and this repository are not needed there.
#
#   scripts/candle-bundle.sh [FOLDER]        by default target/candle-bundle
set -euo pipefail
cd "$(dirname "$0")/.."
bundle=${1:-target/candle-bundle}
if ! command -v nvcc >/dev/null; then
    environment=$(scripts/cuda-toolkit.sh)
    eval "$environment"
fi

mkdir -p "$bundle"
build=(-p spiking-neurons-candle --release --locked --features cuda)
test=$(cargo test "${build[@]}" --test cuda --no-run --message-format=json |
    sed -n 's/.*"name":"cuda".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
examples=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/examples
cargo build "${build[@]}" --example digits --example rows
for binary in "$test" "$examples/digits" "$examples/rows"; do
    name=$(basename "$binary")
    # Without symbols, which are most of it.
    strip -o "$bundle/${name%%-*}" "$binary"
done

cat >"$bundle/run.sh" <<'RUN'
#!/usr/bin/env bash
# Runs the tests and both examples on this machine's first GPU; tests of several GPUs use the second, too.
set -euo pipefail
cd "$(dirname "$0")"
torch=$(python3 -c 'import glob, site; print(*glob.glob(site.getsitepackages()[0] + "/nvidia/*/lib"), sep=":")' || true)
export LD_LIBRARY_PATH="$torch:/usr/local/cuda/lib64:${LD_LIBRARY_PATH:-}"
./cuda --nocapture --test-threads 1 "$@"
./digits --device cuda
./rows --device cuda --seeds 1
RUN
chmod +x "$bundle/run.sh"
echo "$bundle: $(du -sh "$bundle" | cut -f1); copy it and start run.sh there"
