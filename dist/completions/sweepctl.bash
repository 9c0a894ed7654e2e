# bash completion for sweepctl(1)
_sweepctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} word verb= options=
    local verbs="start submit list show runs watch wait best importance morning run log curve plot report export predict replay explain treat enqueue extend relabel label events doctor data pause \
resume cancel delete backup status shutdown help"
    case "$previous" in
    --socket | --db | --worker-program | --on-event | -o | --output | --torch-module | --onnx | --optuna)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    -n | --limit | --run | --workers | --since | --max-load | --active-hours | --group | --id | --label | --runs) return ;;
    --x | --y) return ;;
    --language)
        mapfile -t COMPREPLY < <(compgen -W "en zh" -- "$cur")
        return
        ;;
    plot)
        mapfile -t COMPREPLY < <(compgen -W "history curves parallel slice contour edf pareto timeline labels" -- "$cur")
        return
        ;;
    --status)
        mapfile -t COMPREPLY < <(compgen -W "queued running paused completed stopped failed cancelled" -- "$cur")
        return
        ;;
    --method)
        mapfile -t COMPREPLY < <(compgen -W "pedanova fanova" -- "$cur")
        return
        ;;
    --sort)
        mapfile -t COMPREPLY < <(compgen -W "number run metric val_loss val_acc seconds epochs best_epoch status label stage error" -- "$cur")
        return
        ;;
    esac
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ " $verbs " == *" $word "* ]] && verb=$word && break
    done
    case "$verb" in
    "") options="--version" ;;
    start) options="--db --workers --worker-program --max-load --active-hours --pause-on-battery --group --on-event" ;;
    predict) options="--output --force --worker-program" ;;
    replay) options="--sweep --output --force --worker-program" ;;
    extend) options="--runs" ;;
    treat) options="--remedy --watch" ;;
    submit) options="--watch --dry-run --id --on --slots" ;;
    best) options="--limit --spec --run" ;;
    importance) options="--method" ;;
    explain) options="--sweep" ;;
    runs) options="--status --label --sort --limit" ;;
    delete) options="--yes" ;;
    log) options="--follow" ;;
    events) options="--run --since --follow" ;;
    doctor) options="--db --worker-program" ;;
    plot) options="--output --force --run --x --y --language" ;;
    report) options="--output --force --language" ;;
    export) options="--output --torch-module --onnx --optuna --force" ;;
    cancel) options="--run" ;;
    label) options="--val --at --run" ;;
    shutdown) options="--drain" ;;
    esac
    case "$verb,$cur" in
    *,-*) mapfile -t COMPREPLY < <(compgen -W "$options --socket --json --help" -- "$cur") ;;
    ,* | help,*) mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur") ;;
    submit,* | label,* | backup,*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    esac
}
complete -F _sweepctl sweepctl
