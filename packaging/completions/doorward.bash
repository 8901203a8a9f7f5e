# bash completion for doorward
_doorward() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "serve scan learn evaluate check policy queue quarantine reports trust centre spool sink --help --version" -- "$word")
    return
  fi
  if [ "$command" = policy ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      mapfile -t COMPREPLY < <(compgen -W "export import diff --help" -- "$word")
      return
    fi
    command="policy ${COMP_WORDS[2]}"
  fi
  if [ "$command" = queue ] || [ "$command" = quarantine ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      local parts="list show release delete --help"
      [ "$command" = queue ] && parts="list show retry hold release remove bounce --help"
      mapfile -t COMPREPLY < <(compgen -W "$parts" -- "$word")
      return
    fi
    command="$command ${COMP_WORDS[2]}"
  fi
  if [ "$command" = reports ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      mapfile -t COMPREPLY < <(compgen -W "send list show sources import --help" -- "$word")
      return
    fi
    command="reports ${COMP_WORDS[2]}"
  fi
  if [ "$command" = centre ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      mapfile -t COMPREPLY < <(compgen -W "serve key enrol trust distrust revoke list tell --help" -- "$word")
      return
    fi
    command="centre ${COMP_WORDS[2]}"
  fi
  if [ "$command" = trust ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      mapfile -t COMPREPLY < <(compgen -W "show set forget --help" -- "$word")
      return
    fi
    command="trust ${COMP_WORDS[2]}"
  fi
  if [ "$command" = spool ]; then
    if [ "$COMP_CWORD" -eq 2 ]; then
      mapfile -t COMPREPLY < <(compgen -W "fsck --help" -- "$word")
      return
    fi
    command="spool ${COMP_WORDS[2]}"
  fi
  case $previous in
    --score) mapfile -t COMPREPLY < <(compgen -W "points statistics" -- "$word"); return ;;
    --maildir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    --from | --to | --ip | --helo | --ref | --listen) return ;;
    --sender | --recipient | --domain | --destination | --reason | --older-than | --younger-than | --since | --most) return ;;
    --subject | --customer | --mail) return ;;
    --kind) mapfile -t COMPREPLY < <(compgen -W "dmarc tls" -- "$word"); return ;;
    --class) mapfile -t COMPREPLY < <(compgen -W "clean spam virus content newsletter unsure sanity" -- "$word"); return ;;
    --state) mapfile -t COMPREPLY < <(compgen -W "kept releasing released deleted expired" -- "$word"); return ;;
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
    "queue show") options="--help --config --headers --raw --json" ;;
    "quarantine show") options="--help --config --headers --raw --json" ;;
    "queue list") options="--help --config --sender --recipient --domain --customer --destination --older-than --younger-than --reason --held --stranded --most --json" ;;
    "queue retry") options="--help --config --sender --recipient --domain --customer --destination --older-than --younger-than --reason --held --stranded --most --json" ;;
    "queue hold") options="--help --config --sender --recipient --domain --customer --destination --older-than --younger-than --reason --held --stranded --most --json" ;;
    "queue release") options="--help --config --sender --recipient --domain --customer --destination --older-than --younger-than --reason --held --stranded --most --json" ;;
    "queue remove") options="--help --config --sender --recipient --domain --customer --destination --older-than --younger-than --reason --held --stranded --most --json --yes" ;;
    "queue bounce") options="--help --config --sender --recipient --domain --customer --destination --older-than --younger-than --reason --held --stranded --most --json --force --yes" ;;
    "quarantine list") options="--help --config --sender --recipient --domain --subject --class --customer --mail --state --older-than --younger-than --most --json" ;;
    "quarantine release") options="--help --config --sender --recipient --domain --subject --class --customer --mail --older-than --younger-than --most --json --yes" ;;
    "quarantine delete") options="--help --config --sender --recipient --domain --subject --class --customer --mail --older-than --younger-than --most --json --yes" ;;
    "reports send") options="--help --config --now --json" ;;
    "reports list") options="--help --config --domain --since --most --kind --json" ;;
    "reports show") options="--help --config --json" ;;
    "reports sources") options="--help --config --domain --since --most --json" ;;
    "reports import") options="--help --config" ;;
    "centre serve") options="--help --state --listen --http --certificate --key --cores --entries --questions --reports" ;;
    "centre key") options="--help" ;;
    "centre enrol") options="--help --state --trusted" ;;
    "centre trust") options="--help --state" ;;
    "centre distrust") options="--help --state" ;;
    "centre revoke") options="--help --state" ;;
    "centre list") options="--help --state --json" ;;
    "centre tell") options="--help --config --spam --not-spam --malicious" ;;
    "trust show") options="--help --config --recipient --customer --json" ;;
    "trust set") options="--help --config --customer" ;;
    "trust forget") options="--help --config --customer" ;;
    "spool fsck") options="--help --config --repair --json" ;;
    "sink") options="--help --listen --maildir --lmtp" ;;
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -o filenames -F _doorward doorward
