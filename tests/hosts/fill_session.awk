# SPDX-License-Identifier: GPL-3.0-or-later
# fill_session.awk -- puts sound into the tracks "mono" and "stereo" of an Ardour session that has none, as its user does
# with the mouse: `awk -v ticks=N -f fill_session.awk SESSION`, where N is the length in Ardour's ticks, 282240000 a second.
# The sound is in clip%L.wav and clip%R.wav of one channel each, in the session's folder of audio files.

function source(id, name) {
    printf("<Source name=\"%s\" take-id=\"\" type=\"audio\" flags=\"\" id=\"%d\" natural-position=\"a0\" channel=\"0\" " \
        "origin=\"%s\"/>\n", name, id, name)
}

function sources(of, n) {
    return " " of "source-0=\"90000\"" (n > 1 ? " " of "source-1=\"90001\"" : "")
}

# Ardour wants every one of these attributes.
function region(id, n) {
    printf("<Region name=\"clip\" muted=\"0\" opaque=\"1\" locked=\"0\" video-locked=\"0\" automatic=\"0\" " \
        "whole-file=\"0\" import=\"1\" external=\"1\" hidden=\"0\" position-locked=\"0\" valid-transients=\"0\" " \
        "stretch=\"1\" shift=\"1\" positional-lock-style=\"AudioTime\" layering-index=\"0\" envelope-active=\"0\" " \
        "default-fade-in=\"0\" default-fade-out=\"0\" fade-in-active=\"0\" fade-out-active=\"0\" scale-amplitude=\"1\" " \
        "start=\"a0\" length=\"a%s@a0\" type=\"audio\" first-edit=\"nothing\" channels=\"%d\"%s%s id=\"%d\"/>\n",
        ticks, n, sources("", n), sources("master-", n), id)
}

/<Session / {
    sub(/id-counter="[0-9]*"/, "id-counter=\"100000\"")
}

/<Sources\/>/ {
    print "<Sources>"
    source(90000, "clip%L.wav")
    source(90001, "clip%R.wav")
    print "</Sources>"
    next
}

/<Locations\/>/ {
    printf("<Locations><Location id=\"90002\" name=\"session\" start=\"a0\" end=\"a%s\" flags=\"IsSessionRange\" " \
        "locked=\"0\" timestamp=\"1\"/></Locations>\n", ticks)
    next
}

/<Playlist .*name="(mono|stereo)"/ {
    n = (/name="mono"/ ? 1 : 2)
    sub(/\/>/, ">")
    print
    region(90010 + n, n)
    print "</Playlist>"
    next
}

{ print }
