# SPDX-License-Identifier: GPL-3.0-or-later
# `vipann events`: what is asked wrongly, what is no store, and one that is empty. That it lists what was heard is tested where
# something is heard: tests/hosts/jack.sh.
. tests/cli/common
"$VIPANN" events --help > /dev/null 2>&1 || { echo 'built without SQLite (Debian: libsqlite3-dev)' >&2; exit 77; }

run 2 events
said 'expected'
run 1 events "$SCRATCH/missing.db"
said 'missing.db: the event store cannot be opened'
[ ! -e "$SCRATCH/missing.db" ] || fail 'it was made'
echo 'no store, but a text of some length that might be taken for one, and then it would be written to' > "$SCRATCH/text.db"
run 1 events "$SCRATCH/text.db"
said 'text.db: is no event store; give another file'
run 2 events "$SCRATCH/text.db" --since yesterday
said '--since: found "yesterday"; expected a moment such as 2026-12-01T14:30'
run 2 events "$SCRATCH/text.db" --until 12
said '--until: found "12"'
run 2 events "$SCRATCH/text.db" --hourly --format labels
said '--hourly has no label track'
run 2 events "$SCRATCH/text.db" --format xml
said 'labels'
