# bash completion for doorward
_doorward() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "serve scan learn evaluate check policy sink --help --version" -- "$word")
    return
  fi
  if [ "$command" = policy ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      mapfile -t COMPREPLY < <(compgen -W "export import diff --help" -- "$word")
      return
    fi
    command="policy ${COMP_WORDS[2]}"
  fi
  case $previous in
    --score) mapfile -t COMPREPLY < <(compgen -W "points statistics" -- "$word"); return ;;
    --maildir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    --from | --to | --ip | --helo | --ref | --listen) return ;;
  esac
  local options=""
  case $command in
    "serve") options="--help --config --print-config" ;;
    "scan") options="--help --config --json --from --to --ip --helo --ref" ;;
    "learn") options="--help --config --ham --spam" ;;
    "evaluate") options="--help --index --online --score --scores --json" ;;
    "check") options="--help --config --json" ;;
    "policy export") options="--help --config" ;;
    "policy import") options="--help --config" ;;
    "policy diff") options="--help --config --json" ;;
    "sink") options="--help --listen --maildir --lmtp" ;;
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -o filenames -F _doorward doorward
