/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hear.c -- hears mono sound of 32-bit floats from a pipe, and says what it is and how sure that is.
 *   cc hear.c -o hear $(pkg-config --cflags --libs vipann)
 *   arecord -q -t raw -f FLOAT_LE -c 1 -r 32000 | ./hear model.safetensors 32000 */
#include <stdio.h>
#include <stdlib.h>
#include <vipann/vipann.h>

static void *
need(void *made, const vipann_error *error)
{
    if (made == NULL) {
        (void)fprintf(stderr, "hear: %s\n", error->text);
        exit(EXIT_FAILURE);
    }
    return made;
}

static void
tell(const vipann_model *model, vipann_reader *reader, vipann_result *heard)
{
    while (vipann_next_result(reader, heard)) {
        uint32_t best = 0;
        for (uint32_t i = 1; i < heard->classes; i++) {
            best = heard->p[i] > heard->p[best] ? i : best;
        }
        printf("%8.2f s  %.2f +- %.2f %s; open %.2f, unsure %.2f nats\n", heard->t_seconds, heard->p[best],
               heard->std[best], vipann_model_label(model, best), heard->aleatoric_nats, heard->epistemic_nats);
    }
    for (vipann_event event; vipann_next_event(reader, &event);) { /* once when it counts, once when it is over */
        printf("%8.2f s  %s %s\n", event.ended ? event.end_seconds : event.start_seconds,
               vipann_model_label(model, event.class_index), event.ended ? "is over" : "has begun");
    }
}

int
main(int argc, char **argv)
{
    vipann_error error = {VIPANN_E_ARG, "expected: hear MODEL RATE < SOUND"};
    need(argc == 3 ? argv : NULL, &error);
    vipann_model *model = need(vipann_model_open(argv[1], &error), &error);
    vipann_options options;
    vipann_options_default(&options, model);
    options.rate = strtod(argv[2], NULL);
    vipann_engine *engine = need(vipann_engine_new(model, &options, &error), &error);
    vipann_reader *reader = need(vipann_reader_new(engine, VIPANN_RESULTS | VIPANN_EVENTS, &error), &error);
    vipann_result *heard = need(vipann_result_new(model), &(vipann_error){VIPANN_E_MEMORY, "out of memory"});
    float sound[256];
    for (size_t n; (n = fread(sound, sizeof *sound, 256, stdin)) > 0;) {
        vipann_push(engine, (const float *[]){sound}, (uint32_t)n); /* live: on the audio thread; it never waits */
        while (vipann_pump(engine) > 0) { /* live: on another thread, every few milliseconds */
            tell(model, reader, heard);
        }
    }
    vipann_flush(engine);
    tell(model, reader, heard);
    vipann_result_free(heard);
    vipann_engine_free(engine); /* and its readers */
    vipann_model_unref(model);
}
