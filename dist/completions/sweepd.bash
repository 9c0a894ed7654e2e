# bash completion for sweepd(1) and sweep-worker(1), by what they say of their options.
_sweepd() {
    local program=${COMP_WORDS[0]/#\~/$HOME} cur=${COMP_WORDS[COMP_CWORD]} help value
    help=$("$program" --help 2>/dev/null)
    value=$(sed -n "s/^ *${COMP_WORDS[COMP_CWORD - 1]//[^a-z-]/} \{1,\}\([A-Z-]\{1,\}\) .*/\1/p" <<<"$help")
    case $value in
    LEVEL) mapfile -t COMPREPLY < <(compgen -W "error warn info debug" -- "$cur") ;;
    GROUP | NAME) mapfile -t COMPREPLY < <(compgen -g -- "$cur") ;;
    N | MIB | LOAD | FROM-TO) COMPREPLY=() ;;
    *)
        if [[ $cur == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$(grep -o -e '--[a-z-]*' <<<"$help" | sort -u)" -- "$cur")
        else
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        fi
        ;;
    esac
}
complete -F _sweepd sweepd sweep-worker
