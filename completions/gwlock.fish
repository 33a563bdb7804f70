# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_gwlock_global_optspecs
    string join \n n/namespace= kubeconfig= context= cluster= user= s/server= token-file= insecure-skip-tls-verify as= as-group= as-uid= request-timeout= v/verbose= log-format= color= h/help V/version
end

function __fish_gwlock_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_gwlock_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_gwlock_using_subcommand
    set -l cmd (__fish_gwlock_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c gwlock -n "__fish_gwlock_needs_command" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_needs_command" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_needs_command" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_needs_command" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_needs_command" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_needs_command" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_needs_command" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_needs_command" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_needs_command" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_needs_command" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_needs_command" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_needs_command" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_needs_command" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_needs_command" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_needs_command" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_needs_command" -s V -l version -d 'Print version'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "acquire" -d 'Acquire a lease and leave it held'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "renew" -d 'Renew a claim, once'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "release" -d 'Release a claim'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "verify" -d 'Say whether a claim still stands'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "run" -d 'Hold a lease while a command runs'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "inspect" -d 'Show leases: who holds them, whether they have expired, and by which evidence'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "force-expire" -d 'Remove a stale holder: delete a lease that has expired'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "force-unlock" -d 'Remove a stale holder: delete a lease that has expired'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "gc" -d 'Delete leases that have expired and that nobody took over or released'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "doctor" -d 'Check everything that the locks depend on, with a fix for each thing that is wrong'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "resolve" -d 'Show every name of a target, fingerprint, lease or RemediationRequest, and what each is now'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "send" -d 'Send a signal to a gateway, or through the protocol on the current cluster'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "dedup" -d 'Show which RemediationRequests count which signals, and find what is wrong with them'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "rbac" -d 'Prove that RBAC manifests are sufficient and not excessive'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "serve" -d 'Serve signals as a replica of the gateway'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "simulate" -d 'Simulate many pods that signals reach and that contend for leases, and judge what happened'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "tune" -d 'Recommend lease duration, renew deadline and retry period from what was measured'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "lab" -d 'Serve an API server on loopback, with leases and workloads to try things on'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "bench" -d 'Measure on the current cluster'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "completion" -d 'Print the completion script for a shell'
complete -c gwlock -n "__fish_gwlock_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l key-as -d 'How KEY is read' -r -f -a "auto\t'By its shape: lease name, fingerprint, target, otherwise text'
name\t'The name of a lease as it stands'
fingerprint\t'A fingerprint of 16 to 64 hex digits'
target\t'A target, such as prod/Deployment/payment-api'
text\t'Any text, hashed as a whole'
raw\t'As the gateway does it: the first 16 bytes, hashed only when shorter'"
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l lease-duration -d 'How long the lease lasts after each write; a gateway that takes over a gw-lock-* lease inherits it' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l renew-deadline -d 'How long after the last good renewal the holder stops [default: two thirds of the lease duration]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l retry-period -d 'How long after a failed renewal the next one is tried [default: 2s, less for short leases]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l wait -d 'How long to wait for a lease that somebody holds; 0 tries once. The default outlives a crashed holder' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l identity -d 'Who acquires [default: $POD_NAME, user@host]; a nonce is appended' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l handle-file -d 'Write the claim to this file, for renew, verify and release' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -s E -l busy-exit-code -d 'Exit code when the lease is busy, instead of 75' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l dry-run -d 'Check, but do not write: client sends nothing that writes, server lets the server check; bare it is client' -r -f -a "none\t'Write'
client\t'Send nothing that writes; say what would be sent'
server\t'Let the server check the writes and store nothing'"
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -s o -l output -d 'Output format: table, json, yaml, name, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand acquire" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l key-as -d 'How KEY is read' -r -f -a "auto\t'By its shape: lease name, fingerprint, target, otherwise text'
name\t'The name of a lease as it stands'
fingerprint\t'A fingerprint of 16 to 64 hex digits'
target\t'A target, such as prod/Deployment/payment-api'
text\t'Any text, hashed as a whole'
raw\t'As the gateway does it: the first 16 bytes, hashed only when shorter'"
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l holder -d 'The holder identity that the claim was made with' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l handle-file -d 'The file that `gwlock acquire --handle-file` wrote' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l lease-duration -d 'How long the lease lasts after each write; a gateway that takes over a gw-lock-* lease inherits it' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l renew-deadline -d 'How long after the last good renewal the holder stops [default: two thirds of the lease duration]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l retry-period -d 'How long after a failed renewal the next one is tried [default: 2s, less for short leases]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l dry-run -d 'Check, but do not write: client sends nothing that writes, server lets the server check; bare it is client' -r -f -a "none\t'Write'
client\t'Send nothing that writes; say what would be sent'
server\t'Let the server check the writes and store nothing'"
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -s o -l output -d 'Output format: table, json, yaml, name, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand renew" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -l key-as -d 'How KEY is read' -r -f -a "auto\t'By its shape: lease name, fingerprint, target, otherwise text'
name\t'The name of a lease as it stands'
fingerprint\t'A fingerprint of 16 to 64 hex digits'
target\t'A target, such as prod/Deployment/payment-api'
text\t'Any text, hashed as a whole'
raw\t'As the gateway does it: the first 16 bytes, hashed only when shorter'"
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -l holder -d 'The holder identity that the claim was made with' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -l handle-file -d 'The file that `gwlock acquire --handle-file` wrote' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -l dry-run -d 'Check, but do not write: client sends nothing that writes, server lets the server check; bare it is client' -r -f -a "none\t'Write'
client\t'Send nothing that writes; say what would be sent'
server\t'Let the server check the writes and store nothing'"
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -s o -l output -d 'Output format: table, json, yaml, name, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand release" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -l key-as -d 'How KEY is read' -r -f -a "auto\t'By its shape: lease name, fingerprint, target, otherwise text'
name\t'The name of a lease as it stands'
fingerprint\t'A fingerprint of 16 to 64 hex digits'
target\t'A target, such as prod/Deployment/payment-api'
text\t'Any text, hashed as a whole'
raw\t'As the gateway does it: the first 16 bytes, hashed only when shorter'"
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -l holder -d 'The holder identity that the claim was made with' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -l handle-file -d 'The file that `gwlock acquire --handle-file` wrote' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -s o -l output -d 'Output format: table, json, yaml, name, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l key-as -d 'How KEY is read' -r -f -a "auto\t'By its shape: lease name, fingerprint, target, otherwise text'
name\t'The name of a lease as it stands'
fingerprint\t'A fingerprint of 16 to 64 hex digits'
target\t'A target, such as prod/Deployment/payment-api'
text\t'Any text, hashed as a whole'
raw\t'As the gateway does it: the first 16 bytes, hashed only when shorter'"
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l lease-duration -d 'How long the lease lasts after each write; a gateway that takes over a gw-lock-* lease inherits it' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l renew-deadline -d 'How long after the last good renewal the holder stops [default: two thirds of the lease duration]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l retry-period -d 'How long after a failed renewal the next one is tried [default: 2s, less for short leases]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l wait -d 'How long to wait for a lease that somebody holds; 0 tries once. The default outlives a crashed holder' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -s E -l busy-exit-code -d 'Exit code when the lease is busy, instead of 75' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l signal -d 'What the command is asked to end with when the lease is lost: TERM, INT, HUP, QUIT, USR1, USR2, ABRT, KILL' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l kill-after -d 'How long after --signal it is killed [default: half of what is left of the lease at the renew deadline]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l status-file -d 'Keep what is going on in this file, as JSON' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l identity -d 'Who acquires [default: $POD_NAME, user@host]; a nonce is appended' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l dry-run -d 'Check, but do not write: client sends nothing that writes, server lets the server check; bare it is client' -r -f -a "none\t'Write'
client\t'Send nothing that writes; say what would be sent'
server\t'Let the server check the writes and store nothing'"
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l key-as -d 'How the keys are read' -r -f -a "auto\t'By its shape: lease name, fingerprint, target, otherwise text'
name\t'The name of a lease as it stands'
fingerprint\t'A fingerprint of 16 to 64 hex digits'
target\t'A target, such as prod/Deployment/payment-api'
text\t'Any text, hashed as a whole'
raw\t'As the gateway does it: the first 16 bytes, hashed only when shorter'"
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l prefix -d 'Which leases to list (repeatable)' -r -f -a "gw-lock\t'The gateway\'s'
ro-lock\t'The remediation orchestrator\'s'
kubernaut-interactive\t'Those of interactive sessions, which do not expire'
all\t'Every lease'"
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -s l -l selector -d 'Label selector' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l holder -d 'Only those of this holder: a pod or other base, or a whole identity' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l older-than -d 'Only those whose claim the server saw written longer ago than this (RENEWED of -o wide)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l sort-by -d 'Sort by a column, such as AGE, or a path, such as .evidence.ageSeconds' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l fail-on -d 'End with 1 if one that is shown is like this (repeatable); all are shown all the same' -r -f -a "stale\t'A lease that has expired'
malformed\t'A lease with fields or a name that its protocol does not write'
any\t'A lease that is stale or about which something is odd'"
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l leaked-after -d 'After how many of its durations without a write an expired lease is called leaked' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l controller-namespace -d 'Namespace of the RemediationRequests [default: $KUBERNAUT_CONTROLLER_NAMESPACE, that of each lease]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -s o -l output -d 'Output format: table, wide, json, yaml, name, jsonpath=PATH, custom-columns=NAME:PATH,…' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -s A -l all-namespaces -d 'All namespaces'
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l stale -d 'Only those that have expired'
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l evidence -d 'Ask for pods, nodes and RemediationRequests, whatever is shown'
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l no-evidence -d 'Ask for leases alone'
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -s w -l watch -d 'Show every change as it happens: a live table on a terminal, and otherwise a row per change'
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l no-headers -d 'No header line'
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l key-as -d 'How the keys are read' -r -f -a "auto\t'By its shape: lease name, fingerprint, target, otherwise text'
name\t'The name of a lease as it stands'
fingerprint\t'A fingerprint of 16 to 64 hex digits'
target\t'A target, such as prod/Deployment/payment-api'
text\t'Any text, hashed as a whole'
raw\t'As the gateway does it: the first 16 bytes, hashed only when shorter'"
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l reason -d 'Why, for the Event and the audit log' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l if-holder -d 'Only if this is the holder' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l if-uid -d 'Only if the lease has this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l if-resource-version -d 'Only if the lease has this resourceVersion' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l audit-log -d 'File to add an audit event to for each deleted lease, a JSON object a line; - is stderr' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l dry-run -d 'Check, but do not write: client sends nothing that writes, server lets the server check; bare it is client' -r -f -a "none\t'Write'
client\t'Send nothing that writes; say what would be sent'
server\t'Let the server check the writes and store nothing'"
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -s o -l output -d 'Output format: table, json, yaml, name, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l even-if-live -d 'Delete it although its holder may be alive and at work: two may then work at once'
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -s y -l yes -d 'Do not ask; without a terminal this is needed, except on the lab'
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand force-expire" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l key-as -d 'How the keys are read' -r -f -a "auto\t'By its shape: lease name, fingerprint, target, otherwise text'
name\t'The name of a lease as it stands'
fingerprint\t'A fingerprint of 16 to 64 hex digits'
target\t'A target, such as prod/Deployment/payment-api'
text\t'Any text, hashed as a whole'
raw\t'As the gateway does it: the first 16 bytes, hashed only when shorter'"
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l reason -d 'Why, for the Event and the audit log' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l if-holder -d 'Only if this is the holder' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l if-uid -d 'Only if the lease has this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l if-resource-version -d 'Only if the lease has this resourceVersion' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l audit-log -d 'File to add an audit event to for each deleted lease, a JSON object a line; - is stderr' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l dry-run -d 'Check, but do not write: client sends nothing that writes, server lets the server check; bare it is client' -r -f -a "none\t'Write'
client\t'Send nothing that writes; say what would be sent'
server\t'Let the server check the writes and store nothing'"
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -s o -l output -d 'Output format: table, json, yaml, name, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l even-if-live -d 'Delete it although its holder may be alive and at work: two may then work at once'
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -s y -l yes -d 'Do not ask; without a terminal this is needed, except on the lab'
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand force-unlock" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -l prefix -d 'Whose leases (repeatable)' -r -f -a "gw-lock\t'The gateway\'s'
ro-lock\t'The remediation orchestrator\'s'"
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -l older-than -d 'Only what has been expired for so long' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -l max-per-second -d 'At most so many leases a second; a dry run on the client\'s side only lists' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -l dry-run -d 'Check, but do not write: client sends nothing that writes, server lets the server check; bare it is client' -r -f -a "none\t'Write'
client\t'Send nothing that writes; say what would be sent'
server\t'Let the server check the writes and store nothing'"
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -s o -l output -d 'Output format: table, json, yaml, name, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -s A -l all-namespaces -d 'All namespaces'
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand gc" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l gateway-selector -d 'Labels of the gateways\' pods' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l gateway-namespace -d 'Namespace of the gateways\' pods [default: all, but of other namespaces than the leases\' only Kubernaut\'s]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l controller-namespace -d 'Namespace of the RemediationRequests [default: $KUBERNAUT_CONTROLLER_NAMESPACE, that of the leases]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l fail-on -d 'From which result on the exit code is 1' -r -f -a "failure\t'On failures'
warning\t'On warnings as well'"
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l bundle -d 'Write an archive (.tar.gz) with everything for a ticket, secrets redacted; - is stdout' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l metrics-url -d 'Where a gateway\'s metrics are, for the archive [default: port 9090 of each pod, through the API server]' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -s o -l output -d 'Output format: table, wide (with the fixes of what was skipped), json, yaml, name, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l force -d 'Replace the archive if it is there'
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l cluster-id -d 'Cluster of the target, where several share one gateway' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l gateway-version -d 'Whose rule for fingerprints is followed' -r -f -a "current\t'The running gateway\'s'
january\t'Those of the first gateway that took leases'"
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l signal -d 'Name of the alert, which January\'s fingerprints contain' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l controller-namespace -d 'Namespace of the RemediationRequests [default: $KUBERNAUT_CONTROLLER_NAMESPACE, that of the leases]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -s o -l output -d 'Output format: table, json, yaml, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l offline -d 'Ask no cluster'
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand resolve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l alertname -d 'An alert of this name' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l event -d 'An event with this reason' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -s f -l filename -d 'A payload from a file; - is stdin' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l template -d 'Print a payload that is taken as it is, to be edited and sent with -f' -r -f -a "prometheus\t'A webhook of Alertmanager'
event\t'A Kubernetes event'"
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l payload-as -d 'Whose format the payload has [default: told by its fields]' -r -f -a "prometheus\t'A webhook of Alertmanager'
event\t'A Kubernetes event'"
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -s n -l namespace -d 'Namespace of the object that the signal is about; --lease-namespace is that of the leases' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l pod -d 'The pod that the signal is about' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l severity -d 'Severity of the alert; any text' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l label -d 'Label of the alert (repeatable); labels such as deployment=payment-api name what it is about' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l annotation -d 'Annotation of the alert (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l status -d 'Whether the alert fires or is over' -r -f -a "firing\t'It fires'
resolved\t'It is over, which changes nothing'"
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l starts-at -d 'Since when the alert fires, or when the event happened (RFC 3339) [default: now]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l kind -d 'Kind of the object that the event is about' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l name -d 'Name of the object that the event is about' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l message -d 'What the event says' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l event-type -d 'Type of the event: Warning and Error are acted on, others refused' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l gateway -d 'Send to this gateway' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l gateway-token-file -d 'File with a bearer token for the gateway, which --token-file is as well where --gateway is given; never sent over http:// beyond this machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l gateway-ca-file -d 'Certificate authorities of the gateway in PEM [default: the system\'s]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l retry -d 'Send a request again, so many times, after 5xx or no answer, as Alertmanager does; what was counted is then counted again' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l scope -d 'Which signals lead to a RemediationRequest [default: managed]' -r -f -a "managed\t'Those about objects with the label kubernaut.ai/managed=true, or in a namespace with it'
all\t'All'"
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l lease-namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l controller-namespace -d 'Namespace of the RemediationRequests [default: $KUBERNAUT_CONTROLLER_NAMESPACE, that of the leases]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l identity -d 'Holder identity\'s base [default: $POD_NAME, user@host]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l signal-timeout -d 'How long a signal may take [default: 15s]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l repeat -d 'Send it so many times; then a summary is printed' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l concurrency -d 'Requests at the same time' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l dry-run -d 'Check, but do not write: client sends nothing that writes, server lets the server check; bare it is client' -r -f -a "none\t'Write'
client\t'Send nothing that writes; say what would be sent'
server\t'Let the server check the writes and store nothing'"
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l gateway-version -d 'Whose rules for targets and fingerprints are followed' -r -f -a "current\t'The running gateway\'s'
january\t'Those of the first gateway that took leases'"
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -s o -l output -d 'Output format: table, wide, json, yaml, name, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l gateway-insecure-skip-tls-verify -d 'Do not check the gateway\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l direct -d 'Do on the current cluster what a gateway would do; that starts a real remediation'
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -s y -l yes -d 'Do not ask; without a terminal this is needed, except on the lab'
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l distinct-targets -d 'Make each one about an object of its own: -0, -1, … is appended to the names'
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l trace -d 'Show every step on stderr: signal, target, fingerprint, lease, each request, decision'
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand send" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -f -a "list" -d 'List RemediationRequests: what each has counted, and whether it suppresses new signals'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -f -a "check" -d 'Find what is wrong with RemediationRequests and their leases; exit code 1 if anything is'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and not __fish_seen_subcommand_from list check help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -l key-as -d 'How the keys are read' -r -f -a "auto\t'By its shape: lease name, fingerprint, target, otherwise text'
name\t'The name of a lease as it stands'
fingerprint\t'A fingerprint of 16 to 64 hex digits'
target\t'A target, such as prod/Deployment/payment-api'
text\t'Any text, hashed as a whole'
raw\t'As the gateway does it: the first 16 bytes, hashed only when shorter'"
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -l controller-namespace -d 'Namespace of the RemediationRequests [default: $KUBERNAUT_CONTROLLER_NAMESPACE, that of the leases]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -s l -l selector -d 'Label selector' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -s o -l output -d 'Output format: table, wide, json, yaml, name, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -s A -l all-namespaces -d 'All namespaces'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -l active -d 'Only requests that are at work'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -l no-headers -d 'No header line'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -l key-as -d 'How the keys are read' -r -f -a "auto\t'By its shape: lease name, fingerprint, target, otherwise text'
name\t'The name of a lease as it stands'
fingerprint\t'A fingerprint of 16 to 64 hex digits'
target\t'A target, such as prod/Deployment/payment-api'
text\t'Any text, hashed as a whole'
raw\t'As the gateway does it: the first 16 bytes, hashed only when shorter'"
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -l controller-namespace -d 'Namespace of the RemediationRequests [default: $KUBERNAUT_CONTROLLER_NAMESPACE, that of the leases]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -s o -l output -d 'Output format: table, wide, json, yaml, name, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -s A -l all-namespaces -d 'All namespaces'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -l no-headers -d 'No header line'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from help" -f -a "list" -d 'List RemediationRequests: what each has counted, and whether it suppresses new signals'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from help" -f -a "check" -d 'Find what is wrong with RemediationRequests and their leases; exit code 1 if anything is'
complete -c gwlock -n "__fish_gwlock_using_subcommand dedup; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -f -a "check" -d 'Tell whether RBAC manifests are sufficient for a program, and not more than it needs'
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -f -a "generate" -d 'Print the least that a program has to be granted: ServiceAccount, roles and bindings'
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and not __fish_seen_subcommand_from check generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -s f -l filename -d 'Manifests: a file, a directory with all that is below it, or - for stdin (repeatable)' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l profile -d 'The program' -r -f -a "gateway\t'A Kubernaut Gateway'
remediation-orchestrator\t'The lock of Kubernaut\'s remediation orchestrator'
gwlock-serve\t'Replicas of gwlock serve'
gwlock-operator\t'Whoever looks at leases and RemediationRequests, and removes leases'
gwlock-readonly\t'Whoever looks at them only'
gwlock-run\t'Whoever holds leases: run, acquire, renew, release, verify'
gwlock-gc\t'The collection of expired leases'
gwlock-simulate\t'A pod of a simulation, as gwlock simulate job prints it'"
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l gateway-version -d 'Which gateway' -r -f -a "current\t'The one of today'
january\t'The first one with a lock, of January 2026'"
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l profile-file -d 'A program of one\'s own: YAML with what it asks' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l workload -d 'The workload, such as Deployment/gateway [default: those that look like the program, or all]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l serviceaccount -d 'The ServiceAccount, where no workload is in the files' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l subject -d 'Another subject: User:NAME or Group:NAME' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l lock-namespace -d 'Namespace of the leases [default: what the workload\'s environment says]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l controller-namespace -d 'Namespace of the RemediationRequests [default: what the workload\'s environment says]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l against -d 'Other manifests that should grant the same (repeatable)' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -s o -l output -d 'Output format: table, json, yaml, jsonpath=PATH, sarif, junit, github' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l fail-on -d 'What to fail for' -r -f -a "missing\t'What keeps the program from working, and what another set has of that'
excessive\t'What is too much'
any\t'Every finding'"
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l live -d 'Ask the cluster instead of reading files: for oneself, also under --as, or for --serviceaccount'
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l why -d 'Show which binding and which role grant what'
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l profile -d 'The program' -r -f -a "gateway\t'A Kubernaut Gateway'
remediation-orchestrator\t'The lock of Kubernaut\'s remediation orchestrator'
gwlock-serve\t'Replicas of gwlock serve'
gwlock-operator\t'Whoever looks at leases and RemediationRequests, and removes leases'
gwlock-readonly\t'Whoever looks at them only'
gwlock-run\t'Whoever holds leases: run, acquire, renew, release, verify'
gwlock-gc\t'The collection of expired leases'
gwlock-simulate\t'A pod of a simulation, as gwlock simulate job prints it'"
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l profile-file -d 'A program of one\'s own: YAML with what it asks' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l gateway-version -d 'Which gateway' -r -f -a "current\t'The one of today'
january\t'The first one with a lock, of January 2026'"
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l serviceaccount -d 'Name of the ServiceAccount, which is in the namespace of the leases [default: the profile\'s name]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l controller-namespace -d 'Namespace of the RemediationRequests [default: that of the leases]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -s o -l output -d 'Output format' -r -f -a "yaml\t'Documents with comments'
json\t'One List'"
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l needed-only -d 'Leave out what the program works without'
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from help" -f -a "check" -d 'Tell whether RBAC manifests are sufficient for a program, and not more than it needs'
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from help" -f -a "generate" -d 'Print the least that a program has to be granted: ServiceAccount, roles and bindings'
complete -c gwlock -n "__fish_gwlock_using_subcommand rbac; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l bind-address -d 'Address for signals' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l health-probe-bind-address -d 'Address for /healthz and /readyz; 0 for none' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l metrics-bind-address -d 'Address for /metrics; 0 for none' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l tls-cert-file -d 'Certificate chain in PEM, read again when it changes' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l tls-private-key-file -d 'Private key in PEM, read again when it changes' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l auth -d 'Who may send signals' -r -f -a "token\t'Whoever has a bearer token that may create services/gateway-service in the controller namespace'
none\t'Everybody who reaches a loopback address'"
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l scope -d 'Which signals lead to a RemediationRequest' -r -f -a "managed\t'Those about objects with the label kubernaut.ai/managed=true, or in a namespace with it'
all\t'All'"
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l controller-namespace -d 'Namespace of the RemediationRequests [default: $KUBERNAUT_CONTROLLER_NAMESPACE, that of the leases]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l gateway-version -d 'Whose rules for targets and fingerprints are followed' -r -f -a "current\t'The running gateway\'s'
january\t'Those of the first gateway that took leases'"
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l identity -d 'Holder identity\'s base [default: $POD_NAME]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l max-concurrent-requests -d 'Requests for signals in flight; more are answered 503' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l signal-timeout -d 'How long a signal may take; then it is answered 504' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l audit-log -d 'Where audit events go, a JSON object a line; - is stderr' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l lease-duration -d 'How long the lease lasts after each write; a gateway that takes over a gw-lock-* lease inherits it' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l renew-deadline -d 'How long after the last good renewal the holder stops [default: two thirds of the lease duration]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l retry-period -d 'How long after a failed renewal the next one is tried [default: 2s, less for short leases]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l protocol -d 'The protocol that counts signals, to compare with gwlock\'s' -r -f -a "gwlock\t'The engine\'s'
gateway\t'The Kubernaut Gateway\'s'
gateway-january\t'The same with the release of January 2026'
unlocked\t'The gateway\'s without a pod name, so without a lease'"
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l shutdown-delay -d 'How long signals are still taken after /readyz says 503, so that nobody is sent here any more' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l shutdown-timeout -d 'How long answers may take at the end' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l end-with -d 'End at once when this process, which has started this one, ends in any way' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l holds -d 'Tell in this file when leases are held, for whoever judges them' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l scenario -d 'What goes wrong: a name of --list-scenarios, or a YAML file [default: storm]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l signals -d 'How many signals' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l fingerprints -d 'How many fingerprints they have' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l arrival -d 'When they come: burst, poisson:RATE a second, or a file with a line for each: seconds, and which fingerprint' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l seeds -d 'Simulate every seed of a range instead, both ends included' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l jobs -d 'How many seeds at the same time [default: the number of processors]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l svg -d 'Draw it as a picture into a file' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l history -d 'Write everything that happened into a file, a JSON object a line' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l rounds -d 'How often each handler acquires [default: 4]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l handlers -d 'How many requests each pod handles at the same time [default: 1]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l keys -d 'How many keys they contend for [default: 1]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l hold -d 'Longest time that a lease is held [default: 50ms]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l wait -d 'How long a handler waits for a lease [default: 35s]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l processes -d 'Start so many processes instead of simulating pods, in real time' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l on -d 'Where they work' -r -f -a "embedded\t'On an API server in this process'
cluster\t'On the current cluster, in a namespace that is made for it and removed'"
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l member -d 'Play the part of this pod alone, from 0' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l run -d 'What all pods of a run have in common: the uid of their Job' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l job -d 'The name of their Job' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l meet-within -d 'How long they wait for each other' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l pods -d 'How many pods [default: the scenario\'s; 5 without one]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l clock-skew -d 'How far the pods\' wall clocks are off at most, either way [default: the scenario\'s; 0s without one]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l protocol -d 'Which protocol the pods speak: gwlock, gateway, gateway-january, create-only, unlocked, or several in turn, as mixed:gwlock,gateway [default: the scenario\'s; gwlock without one]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l seed -d 'What everything random is drawn from' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -s o -l output -d 'Output format: table, json, yaml, junit, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l list-scenarios -d 'List the scenarios, and simulate nothing'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l timeline -d 'Draw who held what when'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -s y -l yes -d 'Create RemediationRequests on that cluster without asking'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -f -a "check" -d 'Judge a history that was recorded'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -f -a "job" -d 'Print an Indexed Job that runs the contention of a scenario as pods of a cluster'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -f -a "collect" -d 'Gather the histories that pods of a simulation have logged, and judge them as one'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and not __fish_seen_subcommand_from check job collect help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -s o -l output -d 'Output format: table, json, yaml, junit, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l scenario -d 'What goes wrong: a name of --list-scenarios, or a YAML file' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l seed -d 'What everything random is drawn from' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l pods -d 'How many pods [default: the scenario\'s]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l signals -d 'How many signals [default: the scenario\'s]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l fingerprints -d 'How many fingerprints they have [default: the scenario\'s]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l arrival -d 'When they come: burst, poisson:RATE a second, or a file with a line for each: seconds, and which fingerprint' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l protocol -d 'Which protocol the pods speak: gwlock, gateway, or both in turn, as mixed:gwlock,gateway [default: the scenario\'s]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l name -d 'Name of the Job and of what belongs to it' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l image -d 'Image of the pods; `gwlock` has to be its entry point' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l meet-within -d 'How long pods wait for each other, from when the first one has started; who comes later takes no part' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from job" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -l job -d 'The Job, in the current namespace' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -l history -d 'Write the joined history into a file, a JSON object a line' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -s o -l output -d 'Output format: table, json, yaml, junit, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -l partial -d 'Judge what there is, where histories are missing or stop before their end'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from collect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from help" -f -a "check" -d 'Judge a history that was recorded'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from help" -f -a "job" -d 'Print an Indexed Job that runs the contention of a scenario as pods of a cluster'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from help" -f -a "collect" -d 'Gather the histories that pods of a simulation have logged, and judge them as one'
complete -c gwlock -n "__fish_gwlock_using_subcommand simulate; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l metrics -d 'Metrics of a replica: its URL, or a file with what it answered (repeatable)' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l over -d 'How long metrics are measured: two readings of each URL so far apart; for how long a file has counted' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l target -d 'Which share of the holds may be lost while their holder is alive' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l seeds -d 'The seeds that are simulated, both ends included' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l jobs -d 'How many seeds at the same time [default: the number of processors]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -s o -l output -d 'Output format: table, json, yaml, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l bench -d 'Run `gwlock bench signals` first, with the arguments behind --, on the current cluster, and use what its replicas count'
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l no-simulation -d 'Simulate nothing'
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand tune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -l port -d 'Port on 127.0.0.1 [default: one that is free]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -l write-kubeconfig -d 'Where to write the kubeconfig [default: a temporary file, removed at the end]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -l drill -d 'Set up a situation of the runbook' -r -f -a "lock-timeouts\t'Alerts are answered 500 with lock time-outs'
stuck-lock\t'A lock is stuck after a crash'
duplicate-rrs\t'There are two RemediationRequests of one alert'
wrong-count\t'An occurrence count is wrong'
forbidden\t'The gateway is forbidden to use leases'
slow-api-server\t'The API server is slow under a storm'
clock-skew\t'Clocks are wrong'
pod-restart\t'A gateway\'s pod restarted while it held a lease'
piled-up-leases\t'Leases pile up'
lease-duration\t'A lease duration has to be chosen'"
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -l list-drills -d 'List the drills, and serve nothing'
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand lab" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -f -a "lease" -d 'Measure acquire and release, next to bare requests in the same run'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -f -a "requests" -d 'Count the API requests of a signal in every case, and what they add up to at a rate of signals'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -f -a "signals" -d 'Send signals at a constant rate to replicas, and measure latency, failures and API requests'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and not __fish_seen_subcommand_from lease requests signals help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l clients -d 'How many clients at once, several numbers one after the other' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l total -d 'Rounds of one block' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l repeats -d 'How often the blocks alternate; medians are taken over these' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l compare -d 'Also measure this protocol' -r -f -a "gateway\t'The Kubernaut Gateway\'s protocol'"
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -s o -l output -d 'Output format: table, json, yaml, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l handoff -d 'Measure how long a waiting candidate needs to acquire after a release, instead of rounds'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from lease" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -l simultaneous -d 'How many signals come at once in the cases with several' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -l compare -d 'Also count this protocol\'s requests' -r -f -a "gateway\t'The Kubernaut Gateway\'s protocol'"
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -s o -l output -d 'Output format: table, wide (with every request), json, yaml, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -s y -l yes -d 'Create RemediationRequests on this cluster without asking'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -l markdown -d 'Print tables for a document, with every request'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from requests" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l rate -d 'Signals per second [default: 100]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l duration -d 'How long each load takes [default: 30s, 10s with --find-rate]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l duplicates -d 'Share of signals whose fingerprint has been sent before [default: 0.9]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l fingerprints -d 'How many of the newest fingerprints duplicates are of; half of them are of the oldest tenth of so many' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l replicas -d 'How many replicas are started; signals go to them in turn' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l warm-up -d 'How long the rate grows before it is measured' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l rates -d 'Measure several rates, one after the other' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l limit -d 'The p99 that has to be kept by --find-rate and by the preset thousand' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l preset -d 'Measure what has been promised, and say whether it is kept' -r -f -a "p5\t'50 signals a second for 60 s: without a lock, with one each, and all with the same one'
thousand\t'1000 signals a second for 60 s, nine in ten of them duplicates'"
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l compare -d 'Also measure this protocol, in turn' -r -f -a "gateway\t'The Kubernaut Gateway\'s protocol'"
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l repeats -d 'How often both protocols are measured with --compare' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l save-metrics -d 'Write the metrics of gwlock\'s replicas, as if they were those of one, for `gwlock tune --metrics`' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -s o -l output -d 'Output format: table, wide (with every block), json, yaml, jsonpath=PATH' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l find-rate -d 'Search the highest rate that is held, starting with --rate: no failure, the p99 within --limit, and 98 % achieved'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -s y -l yes -d 'Create RemediationRequests on this cluster without asking'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l markdown -d 'Print a table for a document'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from signals" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from help" -f -a "lease" -d 'Measure acquire and release, next to bare requests in the same run'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from help" -f -a "requests" -d 'Count the API requests of a signal in every case, and what they add up to at a rate of signals'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from help" -f -a "signals" -d 'Send signals at a constant rate to replicas, and measure latency, failures and API requests'
complete -c gwlock -n "__fish_gwlock_using_subcommand bench; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c gwlock -n "__fish_gwlock_using_subcommand completion" -s n -l namespace -d 'Namespace of the leases [default: $POD_NAMESPACE, the context\'s namespace, kubernaut-system]' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand completion" -l kubeconfig -d 'Path of one kubeconfig file [default: the files of $KUBECONFIG, ~/.kube/config, the pod\'s service account]' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand completion" -l context -d 'Context of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand completion" -l cluster -d 'Cluster of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand completion" -l user -d 'User of the kubeconfig' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand completion" -s s -l server -d 'Address of the API server' -r -f
complete -c gwlock -n "__fish_gwlock_using_subcommand completion" -l token-file -d 'File with a bearer token for the API server; a token in a flag would be seen by every user of the machine' -r -F
complete -c gwlock -n "__fish_gwlock_using_subcommand completion" -l as -d 'Act as this user' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand completion" -l as-group -d 'Act as a member of this group (repeatable)' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand completion" -l as-uid -d 'Act as the user with this uid' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand completion" -l request-timeout -d 'Longest time for one request, such as 5s; 0 is the default of each command' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand completion" -s v -l verbose -d 'Log to stderr: -v what is done, -vv every request, -v=N kubectl\'s levels' -r
complete -c gwlock -n "__fish_gwlock_using_subcommand completion" -l log-format -d 'How logs are written' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c gwlock -n "__fish_gwlock_using_subcommand completion" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` or `TERM=dumb` is set'
always\t'Always'
never\t'Never'"
complete -c gwlock -n "__fish_gwlock_using_subcommand completion" -l insecure-skip-tls-verify -d 'Do not check the server\'s certificate'
complete -c gwlock -n "__fish_gwlock_using_subcommand completion" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "acquire" -d 'Acquire a lease and leave it held'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "renew" -d 'Renew a claim, once'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "release" -d 'Release a claim'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "verify" -d 'Say whether a claim still stands'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "run" -d 'Hold a lease while a command runs'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "inspect" -d 'Show leases: who holds them, whether they have expired, and by which evidence'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "force-expire" -d 'Remove a stale holder: delete a lease that has expired'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "gc" -d 'Delete leases that have expired and that nobody took over or released'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "doctor" -d 'Check everything that the locks depend on, with a fix for each thing that is wrong'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "resolve" -d 'Show every name of a target, fingerprint, lease or RemediationRequest, and what each is now'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "send" -d 'Send a signal to a gateway, or through the protocol on the current cluster'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "dedup" -d 'Show which RemediationRequests count which signals, and find what is wrong with them'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "rbac" -d 'Prove that RBAC manifests are sufficient and not excessive'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "serve" -d 'Serve signals as a replica of the gateway'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "simulate" -d 'Simulate many pods that signals reach and that contend for leases, and judge what happened'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "tune" -d 'Recommend lease duration, renew deadline and retry period from what was measured'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "lab" -d 'Serve an API server on loopback, with leases and workloads to try things on'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "bench" -d 'Measure on the current cluster'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "completion" -d 'Print the completion script for a shell'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and not __fish_seen_subcommand_from acquire renew release verify run inspect force-expire gc doctor resolve send dedup rbac serve simulate tune lab bench completion help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and __fish_seen_subcommand_from dedup" -f -a "list" -d 'List RemediationRequests: what each has counted, and whether it suppresses new signals'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and __fish_seen_subcommand_from dedup" -f -a "check" -d 'Find what is wrong with RemediationRequests and their leases; exit code 1 if anything is'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and __fish_seen_subcommand_from rbac" -f -a "check" -d 'Tell whether RBAC manifests are sufficient for a program, and not more than it needs'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and __fish_seen_subcommand_from rbac" -f -a "generate" -d 'Print the least that a program has to be granted: ServiceAccount, roles and bindings'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and __fish_seen_subcommand_from simulate" -f -a "check" -d 'Judge a history that was recorded'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and __fish_seen_subcommand_from simulate" -f -a "job" -d 'Print an Indexed Job that runs the contention of a scenario as pods of a cluster'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and __fish_seen_subcommand_from simulate" -f -a "collect" -d 'Gather the histories that pods of a simulation have logged, and judge them as one'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and __fish_seen_subcommand_from bench" -f -a "lease" -d 'Measure acquire and release, next to bare requests in the same run'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and __fish_seen_subcommand_from bench" -f -a "requests" -d 'Count the API requests of a signal in every case, and what they add up to at a rate of signals'
complete -c gwlock -n "__fish_gwlock_using_subcommand help; and __fish_seen_subcommand_from bench" -f -a "signals" -d 'Send signals at a constant rate to replicas, and measure latency, failures and API requests'
