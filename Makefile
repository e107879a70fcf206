# SPDX-License-Identifier: GPL-3.0-or-later
# vipann: `make` says what there is.

PREFIX ?= /usr/local
DESTDIR ?=
CC ?= cc
CFLAGS ?= -O2 -g
LDFLAGS ?=
BUILD ?= build

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion
STANDARD = -std=c11 -D_POSIX_C_SOURCE=200809L -ffp-contract=off
INCLUDES = -Iengine -Iengine/include
PACKAGES = fftw3f samplerate sndfile jansson libmd
PKG_CONFIG ?= pkg-config
