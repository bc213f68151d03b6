# Read by the scripts beside it, which Slurm runs from the top of a clone that is built.
# shellcheck shell=bash

if [ ! -e dist/cli/main.js ]; then
  # tasks must not build beside each other
  echo 'unetc is not built here; run `npm run setup` at the top of the clone, and submit from there' >&2
  exit 2
fi

# Runs a command to its end. SIGTERM, which Slurm sends the script before its time is over, is passed on; where the command
# says that it was stopped by it (exit 143), with what it had saved, the task is queued again. Ends the script with the
# command's code.
run_or_queue_again() {
  local code=0 task=${SLURM_JOB_ID:-}
  if [ -n "${SLURM_ARRAY_JOB_ID:-}" ]; then
    task=${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}
  fi
  "$@" &
  child=$!
  trap 'kill -TERM "$child" 2>/dev/null' TERM
  # wait ends early when the trap runs, and the second one waits for what unetc says
  wait "$child" || code=$?
  if kill -0 "$child" 2>/dev/null; then
    code=0
    wait "$child" || code=$?
  fi
  if [ "$code" = 143 ]; then
    scontrol requeue "$task"
  fi
  exit "$code"
}
