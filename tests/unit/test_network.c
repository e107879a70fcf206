/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_network.c -- holds the table of networks to what was published and to the reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include <model/network.h>

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static vip_network network;
static vip_tensor_shape tensors[VIP_MAX_TENSORS];

static void
test_names_of_networks_lead_there_and_back(void **state)
{
    (void)state;
    static const char *const names[] = {"resnet22", "resnet38", "resnet54"};
    for (int i = 0; i < VIP_N_ARCHS; i++) {
        assert_string_equal(vip_arch_name((vip_arch)i), names[i]);
        assert_int_equal(vip_arch_find(names[i]), i);
    }
    assert_int_equal(vip_arch_find("resnet"), -1);
    assert_int_equal(vip_arch_find(""), -1);
}

/* Published counts at width 64 with 527 classes (Kong et al. 2020 give 63.7, 73.8 and 104.3 million), and those of the
 * small forms, counted by another program. */
static void
test_parameters_are_as_many_as_published(void **state)
{
    (void)state;
    static const struct {
        vip_arch arch;
        uint32_t width, classes;
        uint64_t stochastic, all; /* stochastic: without batch norm; 0: not known */
    } table[] = {
        {VIP_RESNET22, 64, 527, 63657039, 63675087},   {VIP_RESNET22, 16, 50, 0, 3941826},
        {VIP_RESNET38, 64, 527, 73757775, 73783247},   {VIP_RESNET38, 16, 50, 0, 4574978},
        {VIP_RESNET54, 64, 527, 104256591, 104318159}, {VIP_RESNET54, 16, 50, 0, 6490178},
        {VIP_RESNET22, 32, 50, 0, 15705298},           {VIP_RESNET38, 32, 50, 0, 18234194},
        {VIP_RESNET54, 32, 50, 0, 25876946},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_network_fill(&network, table[i].arch, table[i].width, table[i].classes, VIP_SAME);
        assert_true(vip_network_weights(&network) == table[i].all);
        uint64_t stochastic = 0, all = 0;
        int n = vip_network_tensors(&network, tensors);
        for (int k = 0; k < n; k++) {
            uint64_t size = 1;
            for (int d = 0; d < tensors[k].rank; d++) {
                size *= tensors[k].shape[d];
            }
            stochastic += tensors[k].kind <= VIP_LINEAR_BIAS ? size : 0;
            all += tensors[k].kind <= VIP_BN_BIAS ? size : 0;
        }
        assert_true(all == table[i].all);
        assert_true(table[i].stochastic == 0 || stochastic == table[i].stochastic);
    }
}

/* The figures of the reference: column j sees the frames 32j - back .. 32j + 31 + ahead. */
static void
test_a_column_sees_as_far_as_in_the_reference(void **state)
{
    (void)state;
    static const struct {
        vip_arch arch;
        vip_padding padding;
        uint32_t ahead, back;
    } table[] = {{VIP_RESNET22, VIP_SAME, 186, 186}, {VIP_RESNET22, VIP_CAUSAL, 0, 372},
                 {VIP_RESNET38, VIP_SAME, 302, 302}, {VIP_RESNET38, VIP_CAUSAL, 0, 604},
                 {VIP_RESNET54, VIP_SAME, 184, 184}, {VIP_RESNET54, VIP_CAUSAL, 0, 368}};
    for (size_t i = 0; i < LENGTH(table); i++) {
        uint32_t back;
        vip_network_fill(&network, table[i].arch, 2, 3, table[i].padding);
        assert_int_equal(vip_network_look_ahead(&network, &back), table[i].ahead);
        assert_int_equal(back, table[i].back);
        assert_int_equal(vip_network_look_ahead(&network, NULL), table[i].ahead);
        assert_int_equal(network.left + network.right, 2);
    }
}

/* What step i's reader gets: its channels and bins. */
static void
output_of(int i, uint32_t *channels, int *bins)
{
    *channels = i == VIP_INPUT ? 1 : network.steps[i].out;
    *bins = i == VIP_INPUT ? VIP_MELS : network.steps[i].bins / (network.steps[i].pool ? 2 : 1);
}

static void
test_every_step_fits_what_it_reads_and_what_it_adds(void **state)
{
    (void)state;
    static const int steps[] = {23, 39, 56};
    for (int arch = 0; arch < VIP_N_ARCHS; arch++) {
        vip_network_fill(&network, (vip_arch)arch, 5, 7, VIP_SAME);
        assert_int_equal(network.n_steps, steps[arch]);
        assert_int_equal(network.features, 32 * 5);
        uint32_t channels;
        int bins;
        for (int i = 0; i < network.n_steps; i++) {
            const vip_step *step = &network.steps[i];
            assert_in_range(step->source + 1, 0, i);
            output_of(step->source, &channels, &bins);
            assert_int_equal(step->in, channels);
            assert_int_equal(step->bins, bins);
            assert_true(step->kernel == 1 || step->kernel == 3);
            if (step->residual != VIP_NONE) {
                assert_in_range(step->residual, 0, i - 1);
                output_of(step->residual, &channels, &bins);
                assert_int_equal(step->out, channels);
                assert_int_equal(step->bins, bins);
            }
        }
        output_of(network.n_steps - 1, &channels, &bins);
        assert_int_equal(channels, network.features);
        assert_int_equal(bins, VIP_FEATURE_BINS);
    }
}

static void
test_five_pools_and_one_step_per_shortcut(void **state)
{
    (void)state;
    static const int shortcuts[] = {3, 3, 4}, additions[] = {8, 16, 16};
    for (int arch = 0; arch < VIP_N_ARCHS; arch++) {
        vip_network_fill(&network, (vip_arch)arch, 3, 2, VIP_SAME);
        int pools = 0, without_relu = 0, added = 0;
        for (int i = 0; i < network.n_steps; i++) {
            const vip_step *step = &network.steps[i];
            pools += step->pool;
            added += step->residual != VIP_NONE;
            without_relu += !step->relu;
            assert_int_equal(!step->relu, strstr(step->conv, "downsample") != NULL);
        }
        assert_int_equal(pools, 5);
        assert_int_equal(without_relu, shortcuts[arch]);
        assert_int_equal(added, additions[arch]);
    }
}

/* Names, numbers and rates as in the reference; where each acts. */
static void
test_sites_have_their_numbers_rates_and_places(void **state)
{
    (void)state;
    static const struct {
        vip_arch arch;
        int id;
        const char *site;
        double rate;
        const char *conv; /* of the step; NULL: of none */
    } table[] = {
        {VIP_RESNET22, 0x00, "stem", 0.2, "conv_block1.conv2"},
        {VIP_RESNET22, 0x10, "layer1.0", 0.1, "resnet.layer1.0.conv1"},
        {VIP_RESNET22, 0x41, "layer4.1", 0.1, "resnet.layer4.1.conv1"},
        {VIP_RESNET22, 0x50, "pool", 0.2, "resnet.layer4.1.conv2"},
        {VIP_RESNET38, 0x35, "layer3.5", 0.1, "resnet.layer3.5.conv1"},
        {VIP_RESNET54, 0x35, "layer3.5", 0.1, "resnet.layer3.5.conv2"},
        {VIP_RESNET54, 0x50, "pool", 0.2, "resnet.layer4.2.conv3"},
        {VIP_RESNET54, 0x51, "after", 0.2, "conv_block_after1.conv2"},
        {VIP_RESNET54, 0x52, "fc1", 0.5, NULL},
        {VIP_RESNET54, 0x53, "head", 0, NULL},
    };
    static const int n_sites[] = {13, 21, 21};
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_network_fill(&network, table[i].arch, 1, 1, VIP_SAME);
        assert_int_equal(network.n_sites, n_sites[table[i].arch]);
        int site = vip_network_site(&network, table[i].site);
        assert_true(site >= 0);
        assert_int_equal(network.sites[site].id, table[i].id);
        assert_true(fabs((double)network.sites[site].training_rate - table[i].rate) < 1e-7);
        int uses = 0;
        for (int k = 0; k < network.n_steps; k++) {
            if (network.steps[k].site == site) {
                uses++;
                assert_non_null(table[i].conv);
                assert_string_equal(network.steps[k].conv, table[i].conv);
            }
        }
        assert_int_equal(uses, table[i].conv != NULL);
    }
    assert_int_equal(network.fc1_site, vip_network_site(&network, "fc1"));
    assert_int_equal(network.head_site, vip_network_site(&network, "head"));
    assert_int_equal(vip_network_site(&network, "layer5.0"), VIP_NONE);
}

/* Random numbers are keyed by the place among convolution and linear tensors in the state dict. */
static void
test_tensor_numbers_follow_the_state_dict(void **state)
{
    (void)state;
    for (int arch = 0; arch < VIP_N_ARCHS; arch++) {
        vip_network_fill(&network, (vip_arch)arch, 2, 3, VIP_SAME);
        int n = vip_network_tensors(&network, tensors), id = 0;
        for (int i = 0; i < n; i++) {
            if (tensors[i].kind > VIP_LINEAR_BIAS) {
                continue;
            }
            int found = -1;
            for (int k = 0; k < network.n_steps; k++) {
                size_t length = strlen(network.steps[k].conv);
                if (strncmp(tensors[i].name, network.steps[k].conv, length) == 0 &&
                    strcmp(tensors[i].name + length, ".weight") == 0) {
                    found = network.steps[k].tensor;
                }
            }
            found = strcmp(tensors[i].name, "fc1.weight") == 0 ? network.fc1_tensor : found;
            found = strcmp(tensors[i].name, "fc1.bias") == 0 ? network.fc1_bias_tensor : found;
            found = strcmp(tensors[i].name, "fc_audioset.weight") == 0 ? network.head_tensor : found;
            found = strcmp(tensors[i].name, "fc_audioset.bias") == 0 ? network.head_bias_tensor : found;
            assert_int_equal(found, id++);
        }
        assert_int_equal(id, network.n_steps + 4);
    }
}

/* A few places of the published state dicts, where the order is easy to get wrong. */
static void
test_state_dict_is_in_the_published_order(void **state)
{
    (void)state;
    static const struct {
        vip_arch arch;
        int place;
        const char *name;
    } table[] = {
        {VIP_RESNET22, 0, "bn0.weight"},
        {VIP_RESNET22, 4, "bn0.num_batches_tracked"},
        {VIP_RESNET22, 5, "conv_block1.conv1.weight"},
        {VIP_RESNET22, 6, "conv_block1.conv2.weight"},
        {VIP_RESNET22, 7, "conv_block1.bn1.weight"},
        {VIP_RESNET22, 12, "conv_block1.bn2.weight"},
        {VIP_RESNET22, 17, "resnet.layer1.0.conv1.weight"},
        {VIP_RESNET22, 18, "resnet.layer1.0.bn1.weight"},
        {VIP_RESNET22, 23, "resnet.layer1.0.conv2.weight"},
        {VIP_RESNET22, 53, "resnet.layer2.0.downsample.1.weight"},
        {VIP_RESNET22, 54, "resnet.layer2.0.downsample.2.weight"},
        {VIP_RESNET22, 143, "fc1.weight"},
        {VIP_RESNET22, 146, "fc_audioset.bias"},
        {VIP_RESNET54, 35, "resnet.layer1.0.downsample.0.weight"},
        {VIP_RESNET54, 36, "resnet.layer1.0.downsample.1.weight"},
        {VIP_RESNET54, 344, "fc_audioset.bias"},
    };
    static const int n_tensors[] = {147, 243, 345};
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_network_fill(&network, table[i].arch, 4, 10, VIP_SAME);
        assert_int_equal(vip_network_tensors(&network, tensors), n_tensors[table[i].arch]);
        assert_string_equal(tensors[table[i].place].name, table[i].name);
    }
}

static void
test_shapes_scale_with_width_and_classes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        vip_arch arch;
        uint32_t shape[4];
        uint8_t rank;
    } table[] = {
        {"bn0.weight", VIP_RESNET22, {64, 0, 0, 0}, 1},
        {"bn0.num_batches_tracked", VIP_RESNET22, {0, 0, 0, 0}, 0},
        {"conv_block1.conv1.weight", VIP_RESNET22, {3, 1, 3, 3}, 4},
        {"resnet.layer4.0.downsample.1.weight", VIP_RESNET22, {24, 12, 1, 1}, 4},
        {"resnet.layer1.0.conv3.weight", VIP_RESNET54, {12, 3, 1, 1}, 4},
        {"conv_block_after1.conv1.weight", VIP_RESNET54, {96, 96, 3, 3}, 4},
        {"conv_block_after1.conv1.weight", VIP_RESNET38, {96, 24, 3, 3}, 4},
        {"fc1.weight", VIP_RESNET38, {96, 96, 0, 0}, 2},
        {"fc_audioset.weight", VIP_RESNET38, {7, 96, 0, 0}, 2},
        {"fc_audioset.bias", VIP_RESNET38, {7, 0, 0, 0}, 1},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        vip_network_fill(&network, table[i].arch, 3, 7, VIP_SAME);
        int n = vip_network_tensors(&network, tensors), found = -1;
        for (int k = 0; k < n; k++) {
            found = strcmp(tensors[k].name, table[i].name) == 0 ? k : found;
        }
        assert_true(found >= 0);
        assert_int_equal(tensors[found].rank, table[i].rank);
        assert_memory_equal(tensors[found].shape, table[i].shape, sizeof table[i].shape);
    }
}

static void
test_members_differ_from_the_first_site_with_a_rate(void **state)
{
    (void)state;
    float rates[VIP_MAX_SITES] = {0};
    vip_network_fill(&network, VIP_RESNET22, 2, 3, VIP_SAME);
    assert_int_equal(vip_network_first_site(&network, rates), -1);
    static const struct {
        const char *site;
        int first;
    } table[] = {{"head", 23}, {"fc1", 23}, {"after", 22}, {"pool", 20}, {"layer1.1", 4}, {"stem", 1}};
    for (size_t i = 0; i < LENGTH(table); i++) { /* each earlier than those before it, which stay on */
        rates[vip_network_site(&network, table[i].site)] = 0.25f;
        assert_int_equal(vip_network_first_site(&network, rates), table[i].first);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_networks_lead_there_and_back),
        cmocka_unit_test(test_parameters_are_as_many_as_published),
        cmocka_unit_test(test_a_column_sees_as_far_as_in_the_reference),
        cmocka_unit_test(test_every_step_fits_what_it_reads_and_what_it_adds),
        cmocka_unit_test(test_five_pools_and_one_step_per_shortcut),
        cmocka_unit_test(test_sites_have_their_numbers_rates_and_places),
        cmocka_unit_test(test_tensor_numbers_follow_the_state_dict),
        cmocka_unit_test(test_state_dict_is_in_the_published_order),
        cmocka_unit_test(test_shapes_scale_with_width_and_classes),
        cmocka_unit_test(test_members_differ_from_the_first_site_with_a_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
