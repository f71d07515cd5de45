# SPDX-License-Identifier: MIT
# For the other tools, which source it: long steps that say how far they are on a terminal, and are one line
# each in a log.

# step <text> <log> <command>...: the command's output goes into the log. On a terminal its last line is shown
# as it grows. When it fails, so does this, after the log's last lines.
step() {
  local text=$1 log=$2 job began=$SECONDS status=0 line width
  shift 2
  mkdir -p "$(dirname "$log")"
  "$@" > "$log" 2>&1 < /dev/null &
  job=$!
  # What runs behind a script does not get the terminal's interrupt.
  trap 'kill "$job" 2> /dev/null; trap - INT TERM; kill -INT $$' INT TERM
  if [ -t 2 ] && [ "${TERM:-dumb}" != dumb ]; then
    width=$(tput cols 2> /dev/null || echo 80)
    while kill -0 "$job" 2> /dev/null; do
      line="$text, $((SECONDS - began)) s  $(tail -c 500 "$log" | tr '\r' '\n' | grep -v '^$' | tail -n 1 | tr -cd '[:print:]' || true)"
      printf '\r\033[K%s' "${line:0:$((width - 1))}" >&2
      sleep 0.3
    done
    printf '\r\033[K' >&2
  fi
  wait "$job" || status=$?
  trap - INT TERM
  if [ "$status" -eq 0 ]; then
    echo "$text: $((SECONDS - began)) s"
  else
    echo "$text: failed (exit code $status), the end of $log:"
    tail -n 40 "$log" | sed 's/^/  /'
  fi
  return "$status"
}
