/* SPDX-License-Identifier: GPL-3.0-or-later */
/* embed.cpp -- a C++ program that uses the library: the header serves both languages, and the names are those of C. */
#include <vipann/vipann.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

namespace
{
struct free_model {
    void
    operator()(vipann_model *model) const
    {
        vipann_model_unref(model);
    }
};

struct free_result {
    void
    operator()(vipann_result *result) const
    {
        vipann_result_free(result);
    }
};
} // namespace

int
main(int argc, char **argv)
{
    vipann_error error = {VIPANN_OK, ""};
    if (argc != 2 || vipann_model_open("nowhere.safetensors", &error) != nullptr || error.status != VIPANN_E_IO) {
        return 2;
    }
    std::unique_ptr<vipann_model, free_model> model(vipann_model_open(argv[1], &error));
    std::unique_ptr<vipann_result, free_result> heard(model ? vipann_result_new(model.get()) : nullptr);
    if (!heard) {
        std::fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    std::vector<float> sound(32000);
    for (std::size_t i = 0; i < sound.size(); i++) {
        sound[i] = static_cast<float>(0.5 * std::sin(0.1 * static_cast<double>(i)));
    }
    if (vipann_clip(model.get(), nullptr, sound.data(), sound.size(), 32000, heard.get(), &error) != VIPANN_OK) {
        std::fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    std::printf("%u classes, %s\n", heard->classes, vipann_version());
    return 0;
}
