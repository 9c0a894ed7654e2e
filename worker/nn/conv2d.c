/* torch.nn.Conv2d with a square kernel: weight [out channels, channels, k, k], bias, zeros around
 * the input. The patches of a sample become the columns of a matrix (im2col, Chellapilla et al.
 * 2006), and
 *     y = W·columns + b        [out channels, positions] = [.., patch]·[patch, positions]
 *     dW = Σ dy·columnsᵀ       dcolumns = Wᵀ·dy, whose overlapping patches add up to dx.
 * A sample at a time, or where its images are small a block of samples side by side; blocks follow
 * each other in order, so the sums do too. The columns of a block stay in the second-level cache,
 * where the product finds them; keeping those of the whole batch for the backward pass would cost
 * more than to copy them again. */
#include "worker/nn/layer.h"

#include <stdio.h>
#include <string.h>

#include "sweep/err.h"
#include "worker/nn/gemm.h"
#include "worker/nn/sums.h"
#include "worker/nn/transpose.h"

/* Columns, padded image and output of one sample. */
#define SAMPLE_NUMBERS_MAX ((size_t)1 << 26)
#define KERNEL_MAX 64
/* Products of fewer columns than the first lose a tenth to a third of their speed (measured); of
 * those, blocks of about the second are made, of at most so many numbers. A kernel of 1 × 1, whose
 * columns need no copy, gains only from a quarter on. */
#define POSITIONS_FEW 64
#define BLOCK_POSITIONS 128
#define BLOCK_NUMBERS ((size_t)1 << 18)

/* The bits of real_lanes; a lane of a mask has all of them set or none. */
#ifdef SWEEP_REAL_DOUBLE
typedef int64_t lane_bits;
#else
typedef int32_t lane_bits;
#endif
typedef lane_bits lane_mask __attribute__((vector_size(64), aligned(sizeof(lane_bits)), may_alias));

struct geometry {
    size_t channels, height, width; /* of the input */
    size_t kernel, stride, padding;
    size_t out_channels, out_height, out_width;
    size_t padded_height, padded_width;
    size_t patch;     /* numbers that one output sums: channels·k·k */
    size_t positions; /* outputs of one channel */
    size_t block;     /* samples of one product */
};

/* The columns of one sample are its input itself. */
static bool is_pointwise(const struct geometry *g, size_t n)
{
    return n == 1 && g->kernel == 1 && g->stride == 1 && g->padding == 0;
}

/* With its border. */
static size_t image_count(const struct geometry *g)
{
    return g->channels * g->padded_height * g->padded_width;
}

static size_t block_of(const struct geometry *g)
{
    size_t numbers = g->patch * g->positions + image_count(g), block = 1;
    size_t few = is_pointwise(g, 1) ? POSITIONS_FEW / 4 : POSITIONS_FEW;
    if (g->positions > 0 && g->positions < few)
        block = BLOCK_POSITIONS / g->positions;
    return block * numbers <= BLOCK_NUMBERS || block == 1 ? block : 1 + BLOCK_NUMBERS / numbers;
}

static struct geometry geometry_of(const struct layer *l)
{
    const struct shape *in = &l->in;
    struct geometry g = {
        .channels = in->rank == 3 ? in->dim[0] : 1, /* [height, width]: one channel */
        .height = in->dim[in->rank - 2],
        .width = in->dim[in->rank - 1],
        .kernel = layer_option(l, LAYER_OPTION_KERNEL),
        .stride = layer_option(l, LAYER_OPTION_STRIDE),
        .padding = layer_option(l, LAYER_OPTION_PADDING),
        .out_channels = layer_option(l, LAYER_OPTION_CHANNELS),
    };
    g.padded_height = g.height + 2 * g.padding;
    g.padded_width = g.width + 2 * g.padding;
    g.patch = g.channels * g.kernel * g.kernel;
    if (g.padded_height >= g.kernel && g.padded_width >= g.kernel) {
        g.out_height = (g.padded_height - g.kernel) / g.stride + 1;
        g.out_width = (g.padded_width - g.kernel) / g.stride + 1;
    }
    g.positions = g.out_height * g.out_width;
    g.block = block_of(&g);
    return g;
}

/* --- the workspace: images | columns | product | outputs | turned --------------------------- */

/* Rows are copied in whole vectors, which reach beyond the last row; patches at the left edge
 * reach before the first column. */
static size_t slack(const struct geometry *g)
{
    return g->kernel + REAL_LANES;
}

static size_t images_count(const struct geometry *g)
{
    return g->block * image_count(g) + slack(g);
}

static size_t columns_count(const struct geometry *g)
{
    return g->block * g->patch * g->positions + slack(g);
}

static size_t product_count(const struct geometry *g)
{
    return g->patch * g->out_channels;
}

/* Of a block, channel by channel; a single sample's are so already. */
static size_t outputs_count(const struct geometry *g)
{
    return g->block > 1 ? g->block * g->out_channels * g->positions : 0;
}

/* The product of the weight gradient is faster with dy turned round first, if it is small enough
 * for the library's direct kernels, yet gives too many numbers for them as it is. */
static bool turns_outputs(const struct geometry *g)
{
    size_t result = product_count(g);
    return result > GEMM_DIRECT_TURNED_MAX &&
           result <= GEMM_DIRECT_MAX / (g->block * g->positions);
}

static size_t turned_count(const struct geometry *g)
{
    return turns_outputs(g) ? g->block * g->out_channels * g->positions : 0;
}

struct workspace {
    real *images, *columns, *product, *outputs, *turned;
};

static struct workspace workspace_of(const struct geometry *g, real *scratch)
{
    struct workspace w = {.images = scratch};
    w.columns = w.images + images_count(g);
    w.product = w.columns + columns_count(g);
    w.outputs = w.product + product_count(g);
    w.turned = w.outputs + outputs_count(g);
    return w;
}

static int conv2d_shape(struct layer *l, size_t rows, struct errbuf *err)
{
    char needs[160];
    if (l->in.rank < 2)
        return layer_refuse(l, "[channels, height, width] or [height, width]", err);
    if (shape_count(&l->in) > SAMPLE_NUMBERS_MAX)
        return layer_refuse(l, "up to 2^26 numbers", err);
    struct geometry g = geometry_of(l);
    if (g.positions == 0) {
        snprintf(needs, sizeof needs, "height and width of at least %zu (kernel %zu, padding %zu)",
                 g.kernel - 2 * g.padding, g.kernel, g.padding);
        return layer_refuse(l, needs, err);
    }
    /* No product overflows: a factor is at most 2^26, a kernel's area 2^12, a border's 2^14. */
    l->out = (struct shape){3, {g.out_channels, g.out_height, g.out_width}};
    if (shape_count(&l->out) > SAMPLE_NUMBERS_MAX || image_count(&g) > SAMPLE_NUMBERS_MAX ||
        g.patch * g.positions > SAMPLE_NUMBERS_MAX) {
        snprintf(needs, sizeof needs,
                 "up to 2^26 numbers (%zu channels of %zu × %zu out, %zu columns of %zu)",
                 g.out_channels, g.out_height, g.out_width, g.positions, g.patch);
        return layer_refuse(l, needs, err);
    }
    struct tensor *weight =
        layer_add_tensor(l, "weight", TENSOR_WEIGHT, 4,
                         (const size_t[]){g.out_channels, g.channels, g.kernel, g.kernel});
    weight->fan_in = g.patch;
    weight->fan_out = g.out_channels * g.kernel * g.kernel;
    layer_add_tensor(l, "bias", TENSOR_BIAS, 1, &g.out_channels);
    l->scratch_count = images_count(&g) + columns_count(&g) + product_count(&g) +
                       outputs_count(&g) + turned_count(&g);
    l->products = (double)(g.patch * g.positions) * (double)g.out_channels;
    return 0;
}

/* --- patches to columns --------------------------------------------------------------------- */

/* x[channels, height, width] with its border of zeros. */
static void pad_image(const struct geometry *g, const real *x, real *image)
{
    size_t rows = g->channels * g->height;
    if (g->padding == 0) {
        memcpy(image, x, rows * g->width * sizeof *x);
        return;
    }
    memset(image, 0, image_count(g) * sizeof *image);
    for (size_t r = 0; r < rows; r++) {
        size_t at = r + r / g->height * 2 * g->padding + g->padding;
        memcpy(image + at * g->padded_width + g->padding, x + r * g->width, g->width * sizeof *x);
    }
}

/* columns[patch, n, positions] of n images, stride 1: each row of positions is a piece of a row of
 * an image. What a vector writes beyond its row, the next row overwrites. */
REAL_KERNEL
static void fill_columns(const struct geometry *g, size_t n, const real *images, real *columns)
{
    size_t k = g->kernel, width = g->out_width, pitch = g->padded_width;
    real *to = columns;
    for (size_t e = 0; e < g->patch; e++) {
        size_t plane = e / (k * k), row = e / k % k, column = e % k;
        size_t first = (plane * g->padded_height + row) * pitch + column;
        for (size_t s = 0; s < n; s++) {
            const real *from = images + s * image_count(g) + first;
            for (size_t i = 0; i < g->out_height; i++, from += pitch, to += width) {
                for (size_t j = 0; j < width; j += REAL_LANES)
                    *(real_lanes *)(to + j) = *(const real_lanes *)(from + j);
            }
        }
    }
}

/* The same of any stride. */
static void fill_columns_strided(const struct geometry *g, size_t n, const real *images,
                                 real *columns)
{
    size_t k = g->kernel, pitch = g->padded_width * g->stride;
    real *to = columns;
    for (size_t e = 0; e < g->patch; e++) {
        size_t plane = e / (k * k), row = e / k % k, column = e % k;
        size_t first = (plane * g->padded_height + row) * g->padded_width + column;
        for (size_t s = 0; s < n; s++) {
            const real *from = images + s * image_count(g) + first;
            for (size_t i = 0; i < g->out_height; i++, from += pitch) {
                for (size_t j = 0; j < g->out_width; j++)
                    *to++ = from[j * g->stride];
            }
        }
    }
}

/* The columns of n samples. Images without a border are read where they lie, if so many numbers
 * follow them that vectors may reach beyond the last row. */
static const real *make_columns(const struct geometry *g, size_t n, size_t follow, const real *x,
                                const struct workspace *w)
{
    const real *images = g->padding == 0 && follow >= slack(g) ? x : w->images;
    if (is_pointwise(g, n))
        return x;
    for (size_t s = 0; s < n && images != x; s++)
        pad_image(g, x + s * g->channels * g->height * g->width, w->images + s * image_count(g));
    if (g->stride == 1)
        fill_columns(g, n, images, w->columns);
    else
        fill_columns_strided(g, n, images, w->columns);
    return w->columns;
}

/* --- columns to patches --------------------------------------------------------------------- */

/* Columns of one sample: rows of positions, pitch apart. */
struct columns {
    const real *at;
    size_t pitch;
};

/* REAL_LANES numbers of dx from row, column on: the sum over the patches that cover them; from
 * has that channel's part. An element (a, b) of a patch meets them at position (row + p - a,
 * column + p - b), which valid[b] says to exist or not. Elements follow each other in order. */
static inline void gather(const struct geometry *g, const struct columns *from, size_t row,
                          size_t column, const lane_mask *valid, real *dx)
{
    real_lanes sum = {0};
    for (size_t a = 0; a < g->kernel; a++) {
        size_t i = row + g->padding - a; /* wraps around where it is negative */
        if (i >= g->out_height)
            continue;
        const real *at = from->at + a * g->kernel * from->pitch + i * g->out_width + column;
        at += g->padding;
        for (size_t b = 0; b < g->kernel; b++, at += from->pitch)
            sum += (real_lanes)(*(const lane_mask *)(at - b) & valid[b]);
    }
    *(real_lanes *)dx = sum;
}

/* dx[channels, height, width] of stride 1 from dcolumns. Gathered by the number of dx rather than
 * scattered by that of dcolumns: a sum stays in a register, and needs no border. Vectors reach
 * beyond their row; the last ones of a row come first, so that what they spoil is written again
 * (and up to a vector beyond dx). */
REAL_KERNEL
static void add_patches(const struct geometry *g, const struct columns *from, real *dx)
{
    lane_mask valid[KERNEL_MAX], lane;
    for (size_t v = 0; v < REAL_LANES; v++)
        lane[v] = (int)v;
    for (size_t end = (g->width - 1) / REAL_LANES + 1; end-- > 0;) {
        size_t j = end * REAL_LANES;
        for (size_t b = 0; b < g->kernel; b++) {
            int first = (int)b - (int)g->padding - (int)j;
            valid[b] = (lane >= first) & (lane < first + (int)g->out_width);
        }
        struct columns plane = *from;
        real *to = dx + j;
        for (size_t c = 0; c < g->channels; c++) {
            for (size_t row = 0; row < g->height; row++, to += g->width)
                gather(g, &plane, row, j, valid, to);
            plane.at += g->kernel * g->kernel * plane.pitch;
        }
    }
}

/* The same of any stride, onto the image with its border. */
static void add_patches_strided(const struct geometry *g, const struct columns *from, real *image)
{
    size_t k = g->kernel, pitch = g->padded_width * g->stride;
    memset(image, 0, image_count(g) * sizeof *image);
    for (size_t e = 0; e < g->patch; e++) {
        size_t plane = e / (k * k), row = e / k % k, column = e % k;
        real *to = image + (plane * g->padded_height + row) * g->padded_width + column;
        const real *at = from->at + e * from->pitch;
        for (size_t i = 0; i < g->out_height; i++, to += pitch) {
            for (size_t j = 0; j < g->out_width; j++)
                to[j * g->stride] += *at++;
        }
    }
}

/* dx of one sample; image is workspace. */
static void input_gradient(const struct geometry *g, const struct columns *from, real *image,
                           real *dx)
{
    size_t rows = g->channels * g->height;
    if (g->stride == 1) {
        add_patches(g, from, image);
        memcpy(dx, image, rows * g->width * sizeof *dx);
        return;
    }
    add_patches_strided(g, from, image);
    for (size_t r = 0; r < rows; r++) {
        size_t at = r + r / g->height * 2 * g->padding + g->padding;
        memcpy(dx + r * g->width, image + at * g->padded_width + g->padding, g->width * sizeof *dx);
    }
}

/* dx of n samples from dW and dy[out channels, n, positions]. */
static void input_gradients(const struct geometry *g, size_t n, const real *weight, const real *dy,
                            const struct workspace *w, real *dx)
{
    bool pointwise = is_pointwise(g, n);
    size_t pitch = n * g->positions;
    gemm(true, false, g->patch, pitch, g->out_channels, weight, dy, 0, pointwise ? dx : w->columns);
    for (size_t s = 0; s < n && !pointwise; s++) {
        struct columns from = {w->columns + s * g->positions, pitch};
        input_gradient(g, &from, w->images, dx + s * g->channels * g->height * g->width);
    }
}

/* --- passes --------------------------------------------------------------------------------- */

/* x[a, b, n] → y[b, a, n] */
static void swap_first_two(size_t a, size_t b, size_t n, const real *x, real *y)
{
    for (size_t j = 0; j < b; j++) {
        for (size_t i = 0; i < a; i++, y += n) {
            const real *from = x + (i * b + j) * n;
            for (size_t k = 0; k < n; k++)
                y[k] = from[k];
        }
    }
}

REAL_KERNEL
static void lay_bias(size_t channels, size_t positions, const real *bias, real *y)
{
    for (size_t c = 0; c < channels; c++) {
        for (size_t i = 0; i < positions; i++)
            y[c * positions + i] = bias[c];
    }
}

/* sum[channel] += Σ dy, lane by lane and then over the lanes in order. */
REAL_KERNEL
static void add_bias_gradient(size_t channels, size_t positions, const real *dy, real *sum)
{
    for (size_t c = 0; c < channels; c++, dy += positions)
        sum[c] += lanes_sum(positions, dy);
}

/* Samples of the block that begins with sample r. */
static size_t block_size(const struct geometry *g, size_t rows, size_t r)
{
    return rows - r < g->block ? rows - r : g->block;
}

/* The bias is laid down first and the product added to it: the product has to read or clear y
 * anyway. */
static void conv2d_forward(const struct layer *l, const struct pass *p, const real *x, real *y)
{
    struct geometry g = geometry_of(l);
    struct workspace w = workspace_of(&g, p->scratch);
    const struct tensor *weight = &l->tensors[0], *bias = &l->tensors[1];
    for (size_t r = 0, n; r < p->rows; r += n, x += n * l->in_count, y += n * l->out_count) {
        n = block_size(&g, p->rows, r);
        const real *patches = make_columns(&g, n, (p->rows - r - n) * l->in_count, x, &w);
        real *out = n == 1 ? y : w.outputs;
        lay_bias(g.out_channels, n * g.positions, bias->value, out);
        gemm(false, false, g.out_channels, n * g.positions, g.patch, weight->value, patches, 1,
             out);
        if (out != y)
            swap_first_two(g.out_channels, n, g.positions, out, y);
    }
}

/* product += columns·dyᵀ, from zero for the first block; dy[out channels, n, positions]. */
static void add_weight_gradient(const struct geometry *g, size_t n, bool first,
                                const real *columns, const real *dy, const struct workspace *w)
{
    bool turns = turns_outputs(g);
    if (turns)
        transpose(g->out_channels, n * g->positions, dy, w->turned);
    gemm(false, !turns, g->patch, g->out_channels, n * g->positions, columns,
         turns ? w->turned : dy, !first, w->product);
}

/* dWᵀ = Σ columns·dyᵀ, turned round at the end: the product that way round is 15 % faster for
 * the many patches of few channels that there mostly are. */
static void conv2d_backward(const struct layer *l, const struct pass *p,
                            const struct layer_slope *s)
{
    const real *x = s->x, *dy = s->dy;
    struct geometry g = geometry_of(l);
    struct workspace w = workspace_of(&g, p->scratch);
    const struct tensor *weight = &l->tensors[0], *bias = &l->tensors[1];
    memset(bias->grad, 0, g.out_channels * sizeof *bias->grad);
    for (size_t r = 0, n; r < p->rows; r += n, x += n * l->in_count, dy += n * l->out_count) {
        n = block_size(&g, p->rows, r);
        const real *patches = make_columns(&g, n, (p->rows - r - n) * l->in_count, x, &w);
        const real *out = n == 1 ? dy : w.outputs;
        if (out != dy)
            swap_first_two(n, g.out_channels, g.positions, dy, w.outputs);
        add_weight_gradient(&g, n, r == 0, patches, out, &w);
        add_bias_gradient(g.out_channels, n * g.positions, out, bias->grad);
        if (s->dx)
            input_gradients(&g, n, weight->value, out, &w, s->dx + r * l->in_count);
    }
    transpose(g.patch, g.out_channels, w.product, weight->grad);
}

const struct layer_ops layer_conv2d = {
    .shape = conv2d_shape,
    .forward = conv2d_forward,
    .backward = conv2d_backward,
};
