# SPDX-License-Identifier: GPL-3.0-or-later
# The whole way, in small: recordings become frames, frames a model, the model is judged, and a page shows it all.
. tests/cli/common
. tests/cli/trainer
for command in pretrain eval; do
    has_command $command || { echo "vipann-train has no $command yet" >&2; exit 77; }
done

table 3 8
run 0 features "$SCRATCH/set/manifest.csv" -o "$SCRATCH/cache"
for run in first second; do
    run 0 pretrain "$SCRATCH/cache" --train 'fold=1,2,3,4,5,6' --test 'fold=7,8' --dev 20% --width 1 --batch 4 --lengths 64 --steps 20 --evaluations 2 --threads 1 \
        --posterior $([ $run = first ] && echo deterministic || echo dropout) -o "$SCRATCH/runs/$run"
done
run 0 report "$SCRATCH/runs/first" "$SCRATCH/runs/second" -o "$SCRATCH/page.html"
quiet
lines 0
grep -q '2 runs side by side' "$SCRATCH/page.html" || fail "no page of two runs"
grep -q 'no eval\*.json: it has not been evaluated yet' "$SCRATCH/page.html" || fail "what is missing is not said"
for run in first second; do
    run 0 eval "$SCRATCH/runs/$run/best.safetensors" "$SCRATCH/cache" --test 'fold=7,8' --passes 2 --threads 1 --json "$SCRATCH/runs/$run/eval.json"
done
cp "$SCRATCH/page.html" "$SCRATCH/before.html"
run 0 report "$SCRATCH/runs/first" "$SCRATCH/runs/second" --output "$SCRATCH/page.html"
quiet
for words in 'Loss in training' 'Development part: NLL' 'Reliability of first' 'Reliability of second' 'Errors among the answers' \
    'Confusion matrix of first' 'class 2' 'options.posterior' 'resnet22 w1, same, dropout'; do
    grep -q "$words" "$SCRATCH/page.html" || fail "the page has nothing on \"$words\""
done
! grep -qE 'not been evaluated|<script|https?://' "$SCRATCH/page.html" || fail "the page holds what it should not"
cmp -s "$SCRATCH/page.html" "$SCRATCH/before.html" && fail "the page has not been written anew"

# What was learnt is heard with.
"$vipann" file --model "$SCRATCH/runs/second/best.safetensors" --clip --top all --format jsonl "$SCRATCH/set/2-8.wav" > "$SCRATCH/heard" ||
    fail "vipann does not hear with what pretrain wrote"
[ "$(grep -o '"label":"class [012]"' "$SCRATCH/heard" | wc -l)" = 3 ] || fail "not the three classes: $(cat "$SCRATCH/heard")"

# One evaluation alone, to the standard output; the same page each time.
run 0 report "$SCRATCH/runs/first/eval.json" -o -
cp "$SCRATCH/out" "$SCRATCH/once.html"
run 0 report "$SCRATCH/runs/first/eval.json" -o -
cmp "$SCRATCH/out" "$SCRATCH/once.html" || fail "the same run gives two pages"
if command -v xmllint > /dev/null; then # it is XML too, but for the doctype
    for page in page once before; do
        sed 1d "$SCRATCH/$page.html" | xmllint --noout - || fail "$page.html is not well-formed"
    done
fi
