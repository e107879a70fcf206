/* SPDX-License-Identifier: GPL-3.0-or-later */
/* status.c -- see status.h for the contract. */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>

vipann_status
vip_fail(vipann_error *error, vipann_status status, const char *format, ...)
{
    if (error == NULL) {
        return status;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    for (char *c = error->text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = '?';
        }
    }
    error->status = status;
    return status;
}

vipann_status
vip_fail_memory(vipann_error *error, const char *what)
{
    return vip_fail(error, VIPANN_E_MEMORY, "not enough memory for %s; close other programs or ask for less", what);
}
