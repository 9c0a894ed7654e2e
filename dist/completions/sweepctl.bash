# bash completion for sweepctl(1)
_sweepctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} word verb=
    local verbs="start submit list show watch wait best run log curve label data pause resume \
cancel delete status shutdown help"
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ " $verbs " == *" $word "* ]] && verb=$word && break
    done
    case "$verb,$cur" in
    ,-*) mapfile -t COMPREPLY < <(compgen -W "--socket --json --help --version" -- "$cur") ;;
    ,*) mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur") ;;
    submit,-*) mapfile -t COMPREPLY < <(compgen -W "--watch --dry-run --json --socket" -- "$cur") ;;
    cancel,-*) mapfile -t COMPREPLY < <(compgen -W "--run --json --socket" -- "$cur") ;;
    shutdown,-*) mapfile -t COMPREPLY < <(compgen -W "--drain --json --socket" -- "$cur") ;;
    *,-*) mapfile -t COMPREPLY < <(compgen -W "--json --socket --help" -- "$cur") ;;
    help,*) mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur") ;;
    submit,* | label,*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    esac
}
complete -F _sweepctl sweepctl
