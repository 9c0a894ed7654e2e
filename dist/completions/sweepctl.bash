# bash completion for sweepctl(1): the program itself says what may stand at the cursor.
_sweepctl() {
    local program=${COMP_WORDS[0]/#\~/$HOME} words=() word glue= i line kept found=() says=()
    # Readline takes "--run=3" for three words.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((${#words[@]})) && [[ $glue || $word == [=:]* ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
        [[ $word == [=:] ]] && glue=1 || glue=
    done
    words=("${words[@]//\\/}") # quoted as below
    word=${words[-1]}
    kept=${word%"${word##*[=:]}"} # stands before what is replaced
    while IFS= read -r line; do
        if [[ $line == :files ]]; then
            compopt -o filenames 2>/dev/null
            mapfile -t -O "${#found[@]}" found < <(compgen -f -- "${word#"$kept"}")
            continue
        fi
        found+=("${line%%$'\t'*}")
        found[-1]=${found[-1]#"$kept"}
        says[${#found[@]} - 1]=${line#*$'\t'}
        [[ ${found[-1]} == *= ]] && compopt -o nospace 2>/dev/null
        # A name is of whoever made the sweep: the shell must not obey it.
        [[ ${found[-1]} == *[!a-zA-Z0-9_.,/:=+%@-]* ]] && printf -v "found[-1]" %q "${found[-1]}"
    done < <("$program" __complete "${words[@]}" 2>/dev/null)
    # A list that is looked at says what each is; one word is there to be typed.
    if ((${#found[@]} > 1)) && [[ $COMP_TYPE == @(33|63|64) ]]; then
        for i in "${!says[@]}"; do
            [[ ${says[i]} ]] && printf -v "found[$i]" '%s  (%s)' "${found[i]}" "${says[i]}"
        done
    fi
    COMPREPLY=("${found[@]}")
}
complete -o nosort -F _sweepctl sweepctl
