# fish completion for sweepctl(1): the program itself says what may stand at the cursor.
function __sweepctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete $words[2..] "$current" 2>/dev/null)
        if test "$line" = :files
            set -l before (string match -r '^--[^=]*=' -- "$current")
            __fish_complete_path (string replace -r '^--[^=]*=' '' -- "$current") | string replace -r -- '^' "$before"
        else
            echo $line
        end
    end
end
complete -c sweepctl -f -k -a '(__sweepctl_complete)'
