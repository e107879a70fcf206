/* SPDX-License-Identifier: GPL-3.0-or-later */
/* write_ttl.c -- writes a file of the bundle's description from the tables: write_ttl manifest|vipann|presets. */
#include <stdio.h>
#include <string.h>

#include "ports.h"

#define LICENCE "<https://www.gnu.org/licenses/gpl-3.0.html>"

static const char PREFIXES[] = "@prefix atom: <http://lv2plug.in/ns/ext/atom#> .\n"
                               "@prefix doap: <http://usefulinc.com/ns/doap#> .\n"
                               "@prefix foaf: <http://xmlns.com/foaf/0.1/> .\n"
                               "@prefix log: <http://lv2plug.in/ns/ext/log#> .\n"
                               "@prefix lv2: <http://lv2plug.in/ns/lv2core#> .\n"
                               "@prefix midi: <http://lv2plug.in/ns/ext/midi#> .\n"
                               "@prefix patch: <http://lv2plug.in/ns/ext/patch#> .\n"
                               "@prefix pg: <http://lv2plug.in/ns/ext/port-groups#> .\n"
                               "@prefix pprops: <http://lv2plug.in/ns/ext/port-props#> .\n"
                               "@prefix pset: <http://lv2plug.in/ns/ext/presets#> .\n"
                               "@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .\n"
                               "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
                               "@prefix rsz: <http://lv2plug.in/ns/ext/resize-port#> .\n"
                               "@prefix state: <http://lv2plug.in/ns/ext/state#> .\n"
                               "@prefix time: <http://lv2plug.in/ns/ext/time#> .\n"
                               "@prefix units: <http://lv2plug.in/ns/extensions/units#> .\n"
                               "@prefix urid: <http://lv2plug.in/ns/ext/urid#> .\n"
                               "@prefix vip: <" VIP_URI "> .\n";

static void
write_preset_name(const vip_lv2_plugin *plugin, const vip_preset *preset)
{
    printf("<" VIP_URI "preset:%s:%s>", plugin->uri + strlen(VIP_URI), preset->name);
}

static void
write_manifest(void)
{
    for (size_t i = 0; i < VIP_N_LV2_PLUGINS; i++) {
        const vip_lv2_plugin *plugin = &VIP_LV2_PLUGINS[i];
        printf("\n<%s>\n\ta lv2:Plugin ;\n\tlv2:binary <vipann.so> ;\n\tlv2:minorVersion %d ;\n"
               "\tlv2:microVersion %d ;\n\trdfs:seeAlso <vipann.ttl> .\n",
               plugin->uri, VIP_LV2_MINOR, VIP_LV2_MICRO);
        for (size_t k = 0; k < VIP_N_PRESETS; k++) {
            printf("\n");
            write_preset_name(plugin, &VIP_PRESETS[k]);
            printf(
                "\n\ta pset:Preset ;\n\tlv2:appliesTo <%s> ;\n\trdfs:label \"%s\" ;\n\trdfs:seeAlso <presets.ttl> .\n",
                plugin->uri, VIP_PRESETS[k].label);
        }
    }
}

/* Inputs that people set: what the host sets for itself, and what acts only as it rises, belong into no preset. */
static bool
is_preset_port(const vip_port_info *port)
{
    return port->kind == VIP_CONTROL_IN && (port->flags & (VIP_TRIGGER | VIP_NOT_ON_GUI)) == 0 &&
           strcmp(port->symbol, "enabled") != 0;
}

static void
write_presets(void)
{
    for (size_t i = 0; i < VIP_N_LV2_PLUGINS; i++) {
        for (size_t k = 0; k < VIP_N_PRESETS; k++) {
            const vip_preset *preset = &VIP_PRESETS[k];
            printf("\n");
            write_preset_name(&VIP_LV2_PLUGINS[i], preset);
            printf("\n\ta pset:Preset ;\n\tlv2:appliesTo <%s> ;\n\trdfs:label \"%s\" ;\n\trdfs:comment \"%s\" "
                   ";\n\tlv2:port",
                   VIP_LV2_PLUGINS[i].uri, preset->label, preset->comment);
            const char *between = "";
            for (int p = 0; p < VIP_N_PORTS; p++) {
                if (is_preset_port(&VIP_PORTS[p])) {
                    printf("%s [\n\t\tlv2:symbol \"%s\" ;\n\t\tpset:value %g\n\t]", between, VIP_PORTS[p].symbol,
                           (double)vip_preset_value(preset, (vip_port)p));
                    between = " ,";
                }
            }
            printf(" .\n");
        }
    }
}

static void
write_group_name(const vip_lv2_plugin *plugin, const char *way)
{
    printf("<" VIP_URI "%s:%s>", plugin->uri + strlen(VIP_URI), way);
}

static void
write_groups(const vip_lv2_plugin *plugin)
{
    static const struct {
        const char *way, *type, *name;
    } groups[] = {{"in", "pg:InputGroup", "Input"}, {"out", "pg:OutputGroup", "Output"}};
    for (size_t i = 0; i < 2; i++) {
        printf("\n");
        write_group_name(plugin, groups[i].way);
        printf("\n\ta %s ,\n\t\t%s ;\n\tlv2:symbol \"%s\" ;\n\tlv2:name \"%s\"", groups[i].type,
               plugin->channels == 1 ? "pg:MonoGroup" : "pg:StereoGroup", groups[i].way, groups[i].name);
        if (i == 1) {
            printf(" ;\n\tpg:source ");
            write_group_name(plugin, "in");
        }
        printf(" .\n");
    }
}

static void
write_audio_port(const vip_lv2_plugin *plugin, bool output, uint32_t channel)
{
    const char *way = output ? "out" : "in";
    printf("[\n\t\ta lv2:AudioPort ,\n\t\t\tlv2:%s ;\n\t\tlv2:index %u ;\n\t\tlv2:symbol \"%s_%s\" ;\n"
           "\t\tlv2:name \"%s%s\" ;\n\t\tlv2:designation %s ;\n\t\tpg:group ",
           output ? "OutputPort" : "InputPort", (output ? plugin->channels : 0) + channel, way,
           plugin->symbols[channel], output ? "Out" : "In", plugin->labels[channel], plugin->designations[channel]);
    write_group_name(plugin, way);
    printf("\n\t]");
}

static void
write_flags(unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *name;
    } table[] = {{VIP_TOGGLED, "lv2:toggled"},
                 {VIP_INTEGER, "lv2:integer"},
                 {VIP_TRIGGER, "pprops:trigger"},
                 {VIP_NOT_ON_GUI, "pprops:notOnGUI"},
                 {VIP_ENUMERATION, "lv2:enumeration"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if ((flags & table[i].flag) != 0) {
            printf(" ;\n\t\tlv2:portProperty %s", table[i].name);
        }
    }
}

static void
write_control(const vip_port_info *port)
{
    printf(" ;\n\t\tlv2:minimum %g ;\n\t\tlv2:maximum %g", (double)port->least, (double)port->most);
    if (port->kind == VIP_CONTROL_IN) {
        printf(" ;\n\t\tlv2:default %g", (double)port->normal);
    } else {
        printf(" ;\n\t\tlv2:portProperty lv2:connectionOptional");
    }
    if (port->unit != NULL) {
        printf(" ;\n\t\tunits:unit %s", port->unit);
    }
    for (size_t i = 0; i < VIP_SCALE_POINTS && port->points[i].label != NULL; i++) {
        printf(" ;\n\t\tlv2:scalePoint [\n\t\t\trdfs:label \"%s\" ;\n\t\t\trdf:value %g\n\t\t]", port->points[i].label,
               (double)port->points[i].value);
    }
}

static void
write_port(const vip_lv2_plugin *plugin, vip_port p)
{
    static const char *const types[] = {
        [VIP_CONTROL_IN] = "lv2:ControlPort ,\n\t\t\tlv2:InputPort",
        [VIP_CONTROL_OUT] = "lv2:ControlPort ,\n\t\t\tlv2:OutputPort",
        [VIP_ATOM_IN] = "atom:AtomPort ,\n\t\t\tlv2:InputPort",
        [VIP_ATOM_OUT] = "atom:AtomPort ,\n\t\t\tlv2:OutputPort",
    };
    const vip_port_info *port = &VIP_PORTS[p];
    printf("[\n\t\ta %s ;\n\t\tlv2:index %u ;\n\t\tlv2:symbol \"%s\" ;\n\t\tlv2:name \"%s\" ;\n\t\trdfs:comment \"%s\"",
           types[port->kind], vip_port_index(plugin->channels, p), port->symbol, port->name, port->comment);
    if (port->designation != NULL) {
        printf(" ;\n\t\tlv2:designation %s", port->designation);
    }
    write_flags(port->flags);
    if (port->kind == VIP_CONTROL_IN || port->kind == VIP_CONTROL_OUT) {
        write_control(port);
    } else {
        printf(" ;\n\t\tatom:bufferType atom:Sequence ;\n\t\tatom:supports patch:Message%s ;\n"
               "\t\trsz:minimumSize %d ;\n\t\tlv2:portProperty lv2:connectionOptional",
               port->kind == VIP_ATOM_OUT ? " ,\n\t\t\tmidi:MidiEvent" : " ,\n\t\t\ttime:Position", VIP_NOTIFY_BYTES);
    }
    printf("\n\t]");
}

static void
write_plugin(const vip_lv2_plugin *plugin)
{
    write_groups(plugin);
    printf("\n<%s>\n\ta lv2:AnalyserPlugin ,\n\t\tlv2:Plugin ;\n\tdoap:name \"%s\" ;\n\tdoap:license " LICENCE " ;\n"
           "\tdoap:shortdesc \"Says what is heard, and how sure it is\" ;\n\tlv2:project <" VIP_URI "project> ;\n"
           "\tlv2:requiredFeature urid:map ;\n"
           "\tlv2:optionalFeature lv2:hardRTCapable ,\n\t\tlog:log ,\n\t\tstate:mapPath ,\n\t\tstate:freePath ,\n"
           "\t\tstate:threadSafeRestore ;\n\tlv2:extensionData state:interface ;\n"
           "\tpatch:writable vip:model ;\n\tpatch:readable vip:model ,\n\t\tvip:error ;\n\tpg:mainInput ",
           plugin->uri, plugin->name);
    write_group_name(plugin, "in");
    printf(" ;\n\tpg:mainOutput ");
    write_group_name(plugin, "out");
    printf(" ;\n\tlv2:port ");
    for (uint32_t i = 0; i < 2 * plugin->channels; i++) {
        write_audio_port(plugin, i >= plugin->channels, i % plugin->channels);
        printf(" , ");
    }
    for (int p = 0; p < VIP_N_PORTS; p++) {
        write_port(plugin, (vip_port)p);
        printf(p + 1 < VIP_N_PORTS ? " , " : " .\n");
    }
}

static void
write_plugins(void)
{
    printf(
        "\n<" VIP_URI "project>\n\ta doap:Project ;\n\tdoap:name \"vipann\" ;\n\tdoap:license " LICENCE " ;\n"
        "\tdoap:shortdesc \"A Bayesian audio analyser\" .\n"
        "\nvip:nat\n\ta units:Unit ;\n\trdfs:label \"nats\" ;\n\tunits:symbol \"nat\" ;\n\tunits:render \"%%f nat\" .\n"
        "\nvip:model\n\ta lv2:Parameter ;\n\trdfs:label \"Model\" ;\n"
        "\trdfs:comment \"A .safetensors file\" ;\n\trdfs:range atom:Path .\n"
        "\nvip:error\n\ta lv2:Parameter ;\n\trdfs:label \"Error\" ;\n"
        "\trdfs:comment \"Why the last model could not be used\" ;\n\trdfs:range atom:String .\n");
    for (size_t i = 0; i < VIP_N_LV2_PLUGINS; i++) {
        write_plugin(&VIP_LV2_PLUGINS[i]);
    }
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*write)(void);
    } files[] = {{"manifest", write_manifest}, {"vipann", write_plugins}, {"presets", write_presets}};
    for (size_t i = 0; argc == 2 && i < sizeof files / sizeof *files; i++) {
        if (strcmp(argv[1], files[i].name) == 0) {
            printf("%s", PREFIXES);
            files[i].write();
            return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
        }
    }
    fprintf(stderr, "usage: write_ttl manifest|vipann|presets\n");
    return 2;
}
