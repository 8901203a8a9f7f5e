# bash completion for doorward
_doorward() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  local commands="serve scan learn evaluate check policy sink"
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$word")
    return
  fi
  case $previous in
    --score) mapfile -t COMPREPLY < <(compgen -W "points statistics" -- "$word"); return ;;
    --from | --to | --ip | --helo | --ref | --listen) return ;;
  esac
  local options="--help"
  case $command in
    serve) options+=" --config --print-config" ;;
    scan) options+=" --config --json --from --to --ip --helo --ref" ;;
    learn) options+=" --config --ham --spam" ;;
    evaluate) options+=" --index --online --score --scores --json" ;;
    check) options+=" --config --json" ;;
    policy)
      if [ "$COMP_CWORD" -eq 2 ]; then
        mapfile -t COMPREPLY < <(compgen -W "export import diff --help" -- "$word")
        return
      fi
      options+=" --config --json"
      ;;
    sink) options+=" --listen --maildir --lmtp" ;;
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -o filenames -F _doorward doorward
