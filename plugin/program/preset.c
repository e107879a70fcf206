/* SPDX-License-Identifier: GPL-3.0-or-later */
/* preset.c -- see preset.h for the contract. */
#include "preset.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <common/support.h>
#include <presets/presets.h>

#include "asked.h"
#include "commands.h"
#include "search.h"

/* What the XDG Base Directory Specification says of the folder for settings: a path that is not absolute does not count.
 * NULL: there is none. */
static const char *
find_own_folder(char out[PATH_MAX])
{
    const char *settings = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    bool said = settings != NULL && settings[0] == '/';
    const char *base = said ? settings : home;
    if (base == NULL || *base == '\0') {
        return NULL;
    }
    int n = snprintf(out, PATH_MAX, "%s%s/vipann/presets", base, said ? "" : "/.config");
    return n > 0 && n < PATH_MAX ? out : NULL;
}

static bool
is_file(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && !S_ISDIR(facts.st_mode);
}

vipann_status
vip_preset_apply(vip_arguments *arguments, vipann_error *error)
{
    const vip_option_keys keys = {
        .option = &VIP_OPTION_PRESET, .commands = VIP_PROGRAM.commands, .others = VIP_PRESET_CLIENTS};
    const vip_value *asked = vip_argument(arguments, &VIP_OPTION_PRESET);
    if (!asked->given) {
        return VIPANN_OK;
    }
    char path[PATH_MAX], own[PATH_MAX], names[128];
    const vip_search search = {.ending = ".conf",
                               .own = find_own_folder(own),
                               .installed = VIPANN_PREFIX "/share/vipann/presets",
                               .beside = "presets"};
    if (is_file(asked->text)) {
        return vip_option_file_read(arguments, &keys, asked->text, error);
    }
    if (vip_search_here(&search, asked->text, path) || vip_search_find(&search, asked->text, path)) {
        return vip_option_file_read(arguments, &keys, path, error);
    }
    return vip_fail(error, VIPANN_E_IO, "--preset: \"%.60s\" not found; give the path of an option file, or one of: %s",
                    asked->text, vip_search_names(&search, names, sizeof names));
}
