#!/bin/sh
# Fails when a rule of the protocol is broken, and shows which one, why, and the command that shows it again.
#
#   examples/ci/simulate.sh [PROTOCOL] [LAST_SEED]
#
# Needs gwlock on the PATH and no cluster.
set -eu

protocol=${1:-gwlock}
last=${2:-100}

for scenario in storm crash pause skew lost-answers late-writes everything; do
  gwlock simulate --scenario "$scenario" --protocol "$protocol" --seeds "1..$last"
  echo
done
