/* SPDX-License-Identifier: GPL-3.0-or-later */
/* options_bash.c -- what bash completes, from the tables of the commands. */
#include <string.h>

#include "options.h"

/* The script stands on bash alone. Its table is a function that fills variables of its caller, as bash's dynamic scope
 * allows; where @ stands, the program's name goes. */

static const char TABLE[] =
    "# COMMAND OPTION: sets the command's options, the kind of its operands, and kind and words of\n"
    "# the option's value, or without an option those of an operand.\n"
    "_@_table()\n"
    "{\n"
    "    options= operand= kind= words=\n"
    "    case $1 in\n";

/* The names are compared here, not by compgen -W, which would run what stands in them. */
static const char NAMES[] =
    "# BEGINNING ENDING FOLDER...: the names that begin so of files in the folders that end so.\n"
    "_@_names()\n"
    "{\n"
    "    local beginning=$1 ending=$2 folder path\n"
    "    shift 2\n"
    "    for folder; do\n"
    "        for path in \"$folder\"/*\"$ending\"; do\n"
    "            [ -n \"$folder\" ] && [ -e \"$path\" ] || continue\n"
    "            path=${path##*/}\n"
    "            [[ $path != \"$beginning\"* ]] || printf '%s\\n' \"$prefix${path%\"$ending\"}\"\n"
    "        done\n"
    "    done\n"
    "}\n\n";

static const char PARSER[] =
    "_@()\n"
    "{\n"
    "    local IFS=$' \\t\\n' current=${COMP_WORDS[COMP_CWORD]} word prefix= command= option= ended= i\n"
    "    local options operand kind words\n"
    "    local -a folders\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        if [ -n \"$option\" ]; then\n"
    "            [ \"$word\" = = ] || option= # \"--option=value\" comes as three words\n"
    "        elif [ -z \"$command\" ]; then\n"
    "            command=$word\n"
    "        elif [ \"$word\" = -- ]; then\n"
    "            ended=yes\n"
    "        elif [ -z \"$ended\" ]; then\n"
    "            _@_table \"$command\" \"$word\"\n"
    "            [[ $word != --* || -z $kind ]] || option=$word\n"
    "        fi\n"
    "    done\n"
    "    if [ -n \"$option\" ] && [ \"$current\" = = ]; then\n"
    "        current=\n"
    "    elif [[ -z $option && -z $ended && $current == --*=* ]]; then # or as one, where \"=\" does not break words\n"
    "        option=${current%%=*} prefix=${current%%=*}= current=${current#*=}\n"
    "    fi\n"
    "    _@_table \"$command\" \"$option\"\n";

static const char CHOICE[] =
    "    if [[ -z $option && -z $ended && $current == -* ]]; then\n"
    "        kind=word words=$options\n"
    "    elif [ -z \"$option\" ]; then\n"
    "        kind=$operand\n"
    "    fi\n"
    "    mapfile -t COMPREPLY < <(\n"
    "        compgen -P \"$prefix\" -W \"$words\" -- \"$current\"\n"
    "        case $kind in\n"
    "        file) compgen -P \"$prefix\" -f -- \"$current\" ;;\n"
    "        folder) compgen -P \"$prefix\" -d -- \"$current\" ;;\n"
    "        model)\n"
    "            IFS=: read -r -a folders <<< \"${VIPANN_MODEL_PATH-}\"\n"
    "            _@_names \"$current\" .safetensors \"${folders[@]}\" \"$installed/models\"\n"
    "            compgen -P \"$prefix\" -d -- \"$current\"\n"
    "            compgen -P \"$prefix\" -f -X '!*.safetensors' -- \"$current\"\n"
    "            ;;\n"
    "        preset)\n"
    "            _@_names \"$current\" .conf \"${XDG_CONFIG_HOME:-${HOME-}/.config}/vipann/presets\" "
    "\"$installed/presets\"\n"
    "            compgen -P \"$prefix\" -f -- \"$current\"\n"
    "            ;;\n"
    "        esac\n"
    "    )\n"
    "    case $kind in # readline knows names that are quoted; outside of a completion there is nothing to tell it\n"
    "    file | model | preset) compopt -o filenames -o default 2> /dev/null ;;\n"
    "    folder) compopt -o filenames -o dirnames 2> /dev/null ;;\n"
    "    esac\n"
    "    return 0\n"
    "}\n\n";

/* A function's name cannot have a dash in it. */
static void
put_name(const char *name, FILE *out)
{
    for (; *name != '\0'; name++) {
        (void)fputc(*name == '-' ? '_' : *name, out);
    }
}

static void
put_template(const char *text, const char *name, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (text[0] == '@' && text[-1] != '[') { /* not the subscript of a whole array */
            put_name(name, out);
        } else {
            (void)fputc(*text, out);
        }
    }
}

static void
put_quoted(const char *text, FILE *out)
{
    (void)fputc('\'', out);
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            (void)fputs("'\\''", out);
        } else {
            (void)fputc(*text, out);
        }
    }
    (void)fputc('\'', out);
}

/* What the shell can make of a value that the help calls so. */
static const char *
kind_of(const char *argument)
{
    static const char *const kinds[][2] = {{"NAME|FILE", "preset"}, {"FILE", "file"},     {"DIR", "folder"},
                                           {"MODEL", "model"},      {"MANIFEST", "file"}, {"CACHE", "file"},
                                           {"RUN", "file"}};
    for (size_t i = 0; argument != NULL && i < sizeof kinds / sizeof *kinds; i++) {
        if (strstr(argument, kinds[i][0]) != NULL) {
            return kinds[i][1];
        }
    }
    return "word";
}

static void
put_value(const vip_option *option, FILE *out)
{
    (void)fprintf(out, "        --%s) kind=%s", option->name, kind_of(option->argument));
    for (size_t i = 0; option->words != NULL && option->words[i] != NULL; i++) {
        (void)fprintf(out, "%s%s", i == 0 ? " words='" : " ", option->words[i]);
    }
    (void)fputs(option->words != NULL ? "' ;;\n" : " ;;\n", out);
}

static void
put_command(const char *name, const vip_command *command, FILE *out)
{
    (void)fprintf(out, "    '%s')\n        options='", name);
    for (size_t i = 0; i < command->n_options; i++) {
        (void)fprintf(out, "--%s ", command->options[i]->name);
    }
    (void)fprintf(out, "--help' operand=%s\n", command->commands == NULL ? kind_of(command->operands) : "word");
    (void)fputs("        case $2 in\n", out);
    if (command->commands != NULL) {
        (void)fputs("        '') words='", out);
        for (const vip_subcommand *c = command->commands; c->name != NULL; c++) {
            (void)fprintf(out, "%s%s", c == command->commands ? "" : " ", c->name);
        }
        (void)fputs("' ;;\n", out);
    }
    for (size_t i = 0; i < command->n_options; i++) {
        if (command->options[i]->kind != VIP_OPTION_FLAG) {
            put_value(command->options[i], out);
        }
    }
    (void)fputs("        esac\n        ;;\n", out);
}

void
vip_options_bash(const vip_command *program, const char *shared, FILE *out)
{
    (void)fprintf(out, "# Completion of %s for bash, from the tables that its --help comes from.\n\n", program->name);
    put_template(TABLE, program->name, out);
    put_command("", program, out);
    for (const vip_subcommand *c = program->commands; c->name != NULL; c++) {
        put_command(c->name, c->command, out);
    }
    (void)fputs("    esac\n}\n\n", out);
    put_template(NAMES, program->name, out);
    put_template(PARSER, program->name, out);
    (void)fputs("    local installed=", out);
    put_quoted(shared, out);
    (void)fputc('\n', out);
    put_template(CHOICE, program->name, out);
    (void)fputs("complete -F _", out);
    put_name(program->name, out);
    (void)fprintf(out, " %s\n", program->name);
}
