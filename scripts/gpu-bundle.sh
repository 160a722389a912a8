#!/usr/bin/env bash
# Builds everything that checks the kernels on a GPU into one folder: binaries, reference data and a script
# that runs them all. The folder works on any x86-64 Linux machine with an NVIDIA driver; Rust, the CUDA
# toolkit and this repository are not needed there.
#
#   scripts/gpu-bundle.sh [FOLDER]        by default target/gpu-bundle
set -euo pipefail
cd "$(dirname "$0")/.."
bundle=${1:-target/gpu-bundle}
# Kernels of all formats, since that machine may have no compiler for them.
export NEURON_CUDA_FORMATS=all

mkdir -p "$bundle"
test_binary() { # package, name of the test
    cargo test --release --locked -p "$1" --test "$2" --no-run --message-format=json 2>/dev/null |
        sed -n "s/.*\"name\":\"$2\".*\"executable\":\"\([^\"]*\)\".*/\1/p" | tail -n 1
}
cp "$(test_binary neurons-tests cuda)" "$bundle/cuda"
examples=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/examples
cargo build --release --locked -p spiking-neurons --example conformance --example first_launch
cp "$examples/conformance" "$examples/first_launch" "$bundle/"
rm -rf "$bundle/reference"
cp -r tests/reference "$bundle/"

cat >"$bundle/run.sh" <<'RUN'
#!/usr/bin/env bash
# Checks every kernel on this machine's first GPU. With compute-sanitizer on the PATH, under that too.
set -euo pipefail
cd "$(dirname "$0")"
export NEURON_TEST_CUDA=require NEURON_REFERENCE=reference/vectors
./cuda --nocapture --test-threads 1 "$@"
./conformance --device cuda reference/vectors
./first_launch
if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck initcheck; do
        echo "compute-sanitizer: $tool"
        compute-sanitizer --tool "$tool" --error-exitcode 1 ./conformance --device cuda reference/vectors |
            tail -n 3
    done
else
    echo "compute-sanitizer was not found: that part is skipped"
fi
RUN
chmod +x "$bundle/run.sh"
echo "$bundle: $(du -sh "$bundle" | cut -f1); copy it and start run.sh there"
