/* SPDX-License-Identifier: GPL-3.0-or-later */
/* write.c -- writes the man pages and the completion of `vipann` from the tables of its commands; see pages.h. */
#include <plugin/program/commands.h>

#include "pages.h"

/* clang-format off */
static const char *const PAGES[] = {
    "vipann 1",
#ifdef VIPANN_PORTAUDIO
    "vipann-devices 1",
#endif
    "vipann-file 1",
    "vipann-info 1",
#ifdef VIPANN_JACK
    "vipann-jack 1",
#endif
#ifdef VIPANN_PORTAUDIO
    "vipann-live 1",
#endif
#ifdef VIPANN_TRAINER
    "vipann-train 1",
#endif
    "vipann-rules 5",
    NULL,
};
/* clang-format on */

int
main(int argc, char **argv)
{
    return vip_write_pages(&(const vip_written){&VIP_PROGRAM, PAGES, VIPANN_PREFIX "/share/vipann"}, argc, argv);
}
