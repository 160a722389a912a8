#!/usr/bin/env bash
# Checks and measures the Python package on this machine's GPUs. Rust is not needed, nor anything else that is compiled.
#
#   neurons-python/gpu/run.sh WHEEL [FOLDER] [PART ...]
#
# WHEEL is what `maturin build --release` has made on another machine; it is unpacked into FOLDER (by default ./gpu-results),
# and nothing else is installed. Logs go to FOLDER, too. Parts, all by default: tests overhead network distributed examples.
# Needs a Python with PyTorch for CUDA, pytest and numpy; safetensors, SpikingJelly, torchvision and h5py for all parts, which otherwise
# are skipped or fail, and say so. Set PYTHON for another one than python3, and LIMIT for other seconds a step than 600.
set -uo pipefail
if [ $# -lt 1 ] || [ ! -f "$1" ]; then
    sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0"
    exit 2
fi
wheel=$(realpath "$1")
folder=$(realpath -m "${2:-gpu-results}")
shift; shift || true
parts=${*:-tests overhead network distributed examples}
python=${PYTHON:-python3}
limit=${LIMIT:-600}
cd "$(dirname "$0")/../.."

mkdir -p "$folder"
rm -rf "$folder/site" "$folder"/*.log "$folder/networks.jsonl"
"$python" -m pip install --quiet --no-deps --no-index --target "$folder/site" "$wheel" || exit 1
export PYTHONPATH="$folder/site${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
gpus=$("$python" -c 'import torch; print(torch.cuda.device_count())') || exit 1
if [ "$gpus" = 0 ]; then
    echo "torch.cuda.device_count() is 0: no GPU, or a PyTorch without CUDA"
    exit 1
fi
"$python" - <<'PY'
import sys, torch, spiking_neurons
names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
print(f"Python {sys.version.split()[0]}, PyTorch {torch.__version__}, spiking-neurons {spiking_neurons.__version__}, {', '.join(names)}")
PY

failed=0
summary=$folder/summary.txt
: >"$summary"
# Runs a command with its output in a log, of which the last lines are shown, and the very last is in the summary.
step() { # name, lines to show, command ...
    local name=$1 lines=$2 start=$SECONDS status word
    shift 2
    printf '\n== %s: %s\n' "$name" "$*"
    timeout "$limit" "$@" >"$folder/$name.log" 2>&1
    status=$?
    tail -n "$lines" "$folder/$name.log"
    case $status in
    0) word=passed ;;
    124) word="timed out" ;;
    *) word="failed ($status)" ;;
    esac
    [ $status = 0 ] || failed=1
    printf '%-24s %-11s %4d s  %s\n' "$name" "$word" $((SECONDS - start)) \
        "$(tail -n 1 "$folder/$name.log" | cut -c 1-120)" >>"$summary"
}

examples=neurons-python/examples
torchrun=("$python" -m torch.distributed.run --standalone --nproc-per-node "$gpus")
for part in $parts; do
    case $part in
    tests)
        step tests 12 "$python" -m pytest -q -p no:cacheprovider neurons-python/tests -m gpu
        ;;
    overhead)
        step overhead 8 "$python" scripts/peers/torch_overhead.py --device cuda
        step layer 12 "$python" scripts/peers/torch_layer.py
        ;;
    network)
        for network in sew_resnet18 spiking_vgg11_bn spikformer_ti shd_feedforward shd_recurrent; do
            for dtype in float32 bfloat16; do
                step $network-$dtype 14 "$python" scripts/peers/torch_network.py --networks $network --dtypes $dtype \
                    --json "$folder/networks.jsonl"
            done
        done
        step sew_resnet18-one 14 "$python" scripts/peers/torch_network.py --networks sew_resnet18 --dtypes bfloat16 --batch 1
        ;;
    distributed)
        check=--check
        [ "$gpus" = 1 ] && check=
        step distributed-ddp 12 "${torchrun[@]}" $examples/distributed.py $check
        if [ "$gpus" != 1 ]; then
            step distributed-fsdp 12 "${torchrun[@]}" $examples/distributed.py --fsdp --check
            step scaling 30 "$python" scripts/peers/torch_scaling.py "$folder"/distributed-*.log --chart "$folder/scaling.svg"
        fi
        ;;
    examples)
        step digits 3 "$python" $examples/digits.py --device cuda --amp bfloat16
        step motion 3 "$python" $examples/motion.py --device cuda --amp bfloat16 --picture "$folder/motion.svg"
        ;;
    *)
        echo "unknown part: $part"
        exit 2
        ;;
    esac
done

printf '\n== summary, logs in %s\n' "$folder"
cat "$summary"
exit $failed
