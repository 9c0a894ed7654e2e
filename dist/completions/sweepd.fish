# fish completion for sweepd(1) and sweep-worker(1), by what they say of their options.
function __sweepd_options
    set -l words (commandline -opc)
    $words[1] --help 2>/dev/null | string replace -r -f '^.*?(--[a-z-]+) *([A-Z-]+ +)?(.*)$' '$1\t$3'
end
complete -c sweepd -a '(__sweepd_options)'
complete -c sweep-worker -a '(__sweepd_options)'
