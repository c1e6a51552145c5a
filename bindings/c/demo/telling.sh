# How the demonstrations tell what they do; sourced by each run.sh, which has the broker's output at $from_broker.

step() {
    if [[ -t 1 ]]; then printf '\n\033[1m%s\033[0m\n' "$1"; else printf '\n%s\n' "$1"; fi
}

# Shows a command as one would type it.
command_line() {
    local word line=
    for word; do
        [[ $word =~ ^[[:alnum:]/.,:=+_-]+$ ]] || word="'$word'"
        line+=" $word"
    done
    echo "  \$$line"
}

# Shows a command and runs it. Its output is shown only if it fails.
show() {
    command_line "$@"
    "$@" > log 2>&1 || { cat log; exit 1; }
}

# What keytool asks for is answered on the command line: the password, the name $subject, and "trust this?".
keytool_answered() {
    command_line keytool "$@"
    local answers=(-storepass password)
    [[ $1 != -genkey* ]] || answers+=(-dname "CN=$subject, O=Example")
    [[ $1 != -import* ]] || answers+=(-noprompt)
    keytool "$@" "${answers[@]}" > log 2>&1 || { cat log; exit 1; }
}

# Prints what $1 says, read from the descriptor $2, until a line has $3.
hear() {
    local line
    while IFS= read -r -t 60 -u "$2" line; do
        echo "  $1 | $line"
        [[ $line != *"$3"* ]] || { last=$line; return 0; }
    done
    echo "the $1 never said: $3" >&2
    exit 1
}

broker_says() {
    hear broker "$from_broker" "$1"
}
