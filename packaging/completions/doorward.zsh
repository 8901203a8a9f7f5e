#compdef doorward
_doorward() {
  local -a commands
  commands=(
    'serve:run the gateway'
    'scan:score sheets of mails on disk'
    'learn:train the word statistics'
    'evaluate:judge labelled mails and say how well it went'
    'check:say what is wrong with the set-up'
    'policy:export, import or compare the settings of the tenants'
    'queue:see and steer what waits for delivery'
    'quarantine:see, release and delete what is kept'
    'reports:send DMARC reports, look at those that came in'
    'trust:whom the people of a customer correspond with'
    'centre:a detection centre for several gateways'
    'spool:check the mails on disk that wait'
    'sink:a small mail server for trials'
  )
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  case $words[2] in
    serve) _arguments '--config[configuration]:file:_files' '--print-config[print it and end]' ;;
    scan) _arguments '--config[configuration]:file:_files' '--json[one object a line]' '--from[sender]:address:' \
      '--to[recipient]:address:' '--ip[client]:ip:' '--helo[name]:name:' '--ref[reference]:id:' '*:mails:_files' ;;
    learn) _arguments '--config[configuration]:file:_files' '*--ham[good mails]:path:_files' '*--spam[spam]:path:_files' ;;
    evaluate) _arguments '--index[index]:file:_files' '--online[learn after each verdict]' \
      '--score[what is measured]:score:(points statistics)' '--scores[write scores]:file:_files' '--json[as JSON]' ;;
    check) _arguments '--config[configuration]:file:_files' '--json[one object a line]' ;;
    policy)
      if (( CURRENT == 3 )); then
        _values 'what' export import diff
        return
      fi
      case $words[3] in
        export | import) _arguments '--config[configuration]:file:_files' '*:file:_files' ;;
        diff) _arguments '--config[configuration]:file:_files' '--json[as JSON]' '*:file:_files' ;;
      esac
      ;;
    reports)
      if (( CURRENT == 3 )); then
        _values 'what' send list show sources import
        return
      fi
      case $words[3] in
        send) _arguments '--config[configuration]:file:_files' '--now[also of a day that is not over]' '--json[one object a line]' ;;
        import) _arguments '--config[configuration]:file:_files' '*:file:_files' ;;
        *) _arguments '--config[configuration]:file:_files' '--json[one object a line]' '--domain[domain]:domain:' \
          '--since[age]:age:' '--most[at most]:number:' '--kind[kind]:kind:(dmarc tls)' '*:id:' ;;
      esac
      ;;
    trust)
      if (( CURRENT == 3 )); then
        _values 'what' show set forget
        return
      fi
      _arguments '--config[configuration]:file:_files' '--customer[name or number]:customer:' \
        '--recipient[one of our people]:address:' '--json[as JSON]' '*:whom:'
      ;;
    centre)
      if (( CURRENT == 3 )); then
        _values 'what' serve key enrol trust distrust revoke list tell
        return
      fi
      case $words[3] in
        serve) _arguments '--state[its folder]:folder:_files -/' '--listen[address and port]:address:' \
          '--http[for metrics and health]:address:' '--certificate[for TLS]:file:_files' '--key[its private key]:file:_files' \
          '--cores[that answer]:number:' '--entries[of each table]:number:' '--questions[a second and gateway]:number:' \
          '--reports[a second and gateway]:number:' ;;
        tell) _arguments '--config[configuration]:file:_files' '*--spam[spam]:path:_files' \
          '*--not-spam[good mails]:path:_files' '*--malicious[malicious mails]:path:_files' ;;
        *) _arguments '--state[its folder]:folder:_files -/' '--trusted[its word counts at once]' \
          '--json[one object a line]' '*:name:' ;;
      esac
      ;;
    spool)
      if (( CURRENT == 3 )); then
        _values 'what' fsck
        return
      fi
      _arguments '--config[configuration]:file:_files' '--repair[mend what is damaged]' '--json[one object a line]' '*:folder:_files -/'
      ;;
    queue | quarantine)
      if (( CURRENT == 3 )); then
        if [[ $words[2] == queue ]]; then
          _values 'what' list show retry hold release remove bounce
        else
          _values 'what' list show release delete
        fi
        return
      fi
      local -a options
      options=('--config[configuration]:file:_files' '--json[one object a line]' '*:id:')
      if [[ $words[3] == show ]]; then
        options+=('--headers[the header]' '--raw[the whole content]')
      else
        options+=('--sender[sender]:address:' '--recipient[recipient]:address:' '--domain[domain]:domain:' \
          '--customer[name or number]:customer:' '--older-than[age]:age:' '--younger-than[age]:age:' '--most[at most]:number:' '--yes[without ids]')
        if [[ $words[2] == queue ]]; then
          options+=('--destination[next hop]:destination:' '--reason[last reply]:text:' '--held[held]' \
            '--stranded[stranded]' '--force[also to senders that are not proven]')
        else
          options+=('--subject[subject]:text:' '--class[class]:class:(clean spam virus content newsletter unsure sanity)' \
            '--mail[reference]:id:' '--state[state]:state:(kept releasing released deleted expired)')
        fi
      fi
      _arguments $options
      ;;
    sink) _arguments '--listen[address and port]:address:' '--maildir[where to store]:folder:_files -/' '--lmtp[speak LMTP]' ;;
  esac
}
_doorward "$@"
