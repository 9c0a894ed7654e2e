#include "client/torch_input.h"

#include <math.h>
#include <stddef.h>

#include "client/render.h"
#include "client/utf8.h"
#include "sweep/json.h"

#define LINE_MAX_CHARS 96

/* --- what there is ---------------------------------------------------------------------------- */

static bool fills(const struct torch_input *t)
{
    return t->p && t->p->fill;
}

static bool scales(const struct torch_input *t)
{
    return t->p && t->p->shift;
}

static bool scales_targets(const struct torch_input *t)
{
    return t->p && t->p->regression && t->p->target_unit &&
           t->p->targets == shape_count(&t->output);
}

static const struct json *classes_of(const struct torch_input *t)
{
    const struct json *list = t->p ? json_get(t->p->schema, "classes") : NULL;
    return list && json_type(list) == JSON_ARRAY && json_first(list) ? list : NULL;
}

/* Columns that have names. */
static const struct json *columns_of(const struct torch_input *t)
{
    const struct json *list = t->p ? json_get(t->p->schema, "columns") : NULL;
    const struct json *header = t->p ? json_get(t->p->schema, "header") : NULL;
    bool named = header && json_type(header) == JSON_BOOL && json_bool(header);
    return list && named && json_type(list) == JSON_ARRAY ? list : NULL;
}

bool torch_input_needs_torch(const struct torch_input *t)
{
    return fills(t) || scales(t) || scales_targets(t) || columns_of(t) || (t->p && t->p->bytes);
}

/* --- Python's words --------------------------------------------------------------------------- */

/* What would make the line look like another is escaped. */
static void put_text(struct buf *out, const char *text)
{
    buf_putc(out, '"');
    for (size_t len; *text; text += len > 0 ? len : 1) {
        uint32_t c = 0xfffd;
        len = utf8_decode(text, &c);
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", (int)c);
        else if (len == 0 || render_is_unsafe(c))
            buf_printf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)c);
        else
            buf_append(out, text, len);
    }
    buf_putc(out, '"');
}

/* A name or a number of the schema. */
static void put_value(struct buf *out, const struct json *v)
{
    if (json_type(v) == JSON_STRING)
        put_text(out, json_string(v));
    else if (json_type(v) == JSON_NUMBER)
        buf_printf(out, "%.15g", json_number(v));
    else
        buf_puts(out, "None");
}

/* "[a, b]" in lines that are not too long. */
static void put_list(struct buf *out, const struct json *list)
{
    size_t line = out->len;
    buf_putc(out, '[');
    for (const struct json *v = json_first(list); v; v = json_next(v)) {
        if (out->len - line > LINE_MAX_CHARS - 24) {
            line = out->len;
            buf_puts(out, "\n    ");
        }
        put_value(out, v);
        if (json_next(v))
            buf_puts(out, ", ");
    }
    buf_putc(out, ']');
}

static void put_number(struct buf *out, double v, int digits)
{
    if (isfinite(v))
        buf_printf(out, "%.*g", digits, v);
    else
        buf_printf(out, "float(\"%s\")", isnan(v) ? "nan" : v > 0 ? "inf" : "-inf");
}

/* Floats and doubles with the digits that give them back. */
/* "        self.register_buffer("shift", torch.tensor([…]).reshape(…), persistent=False)" */
static void put_buffer(struct buf *out, const char *name, const float *floats,
                       const double *doubles, size_t count, const struct shape *shape)
{
    size_t line = out->len;
    buf_printf(out, "        self.register_buffer(\"%s\", torch.tensor([", name);
    for (size_t i = 0; i < count; i++) {
        if (out->len - line > LINE_MAX_CHARS - 30) {
            line = out->len;
            buf_puts(out, "\n            ");
        }
        put_number(out, floats ? (double)floats[i] : doubles[i], floats ? 9 : 17);
        if (i + 1 < count)
            buf_puts(out, ", ");
    }
    buf_puts(out, "]).reshape(");
    for (size_t i = 0; i < shape->rank; i++)
        buf_printf(out, "%s%zu", i > 0 ? ", " : "", shape->dim[i]);
    buf_puts(out, "), persistent=False)\n");
}

/* --- the parts -------------------------------------------------------------------------------- */

static void put_rows(const struct shape *s, struct buf *out)
{
    buf_puts(out, "[rows");
    for (size_t i = 0; i < s->rank; i++)
        buf_printf(out, ", %zu", s->dim[i]);
    buf_putc(out, ']');
}

static void describe_input(const struct torch_input *t, struct buf *out)
{
    buf_puts(out, "Input: ");
    put_rows(&t->input, out);
    if (!t->p)
        buf_puts(out, ", bytes divided by 255, scaled as in training.");
    else if (t->p->bytes)
        buf_puts(out, ", bytes, 0 to 255, as the file has them.");
    else if (columns_of(t))
        buf_puts(out, ", numbers as the file has them: encode() makes them of its rows.");
    else
        buf_puts(out, ", numbers as the file has them.");
    if (scales(t) || fills(t))
        buf_puts(out, "\nThey are scaled here, as in training.");
    if (t->p && !t->p->fill)
        buf_puts(out, "\nA NaN among them gives NaN.");
}

void torch_input_describe(const struct torch_input *t, struct buf *out)
{
    describe_input(t, out);
    buf_puts(out, "\nOutput: ");
    put_rows(&t->output, out);
    if (!t->p || !t->p->regression)
        buf_puts(out, ", before any softmax or sigmoid");
    else
        buf_puts(out, scales_targets(t) ? ", in the target's own units" : ", as the target is");
    buf_puts(out, classes_of(t) ? "; CLASSES names them.\n" : ".\n");
}

static bool is_feature(const struct json *column)
{
    return !json_get(column, "target") && !json_get(column, "ignored");
}

static void put_columns(const struct json *columns, struct buf *out)
{
    buf_puts(out, "\n# The columns of the input by name, and what one-hot columns are of.\n"
                  "COLUMNS = [\n");
    for (const struct json *c = json_first(columns); c; c = json_next(c)) {
        const struct json *categories = json_get(c, "categories");
        if (!is_feature(c) || !json_get(c, "name"))
            continue;
        buf_puts(out, "    (");
        put_value(out, json_get(c, "name"));
        buf_puts(out, ", ");
        if (categories)
            put_list(out, categories);
        else
            buf_puts(out, "None");
        buf_puts(out, "),\n");
    }
    buf_puts(out, "]\n"
                  "\n"
                  "\n"
                  "def encode(rows):\n"
                  "    \"\"\"Rows of csv.DictReader as Net takes them; NaN: nothing there.\"\"\"\n"
                  "    table = []\n"
                  "    for row in rows:\n"
                  "        numbers = []\n"
                  "        for name, categories in COLUMNS:\n"
                  "            text = str(row[name]).strip()\n"
                  "            if categories is None:\n"
                  "                numbers.append(float(text or \"nan\"))\n"
                  "            elif text and text not in categories:\n"
                  "                raise ValueError(f\"{name}: {text!r}; allowed: {categories}\")\n"
                  "            else:\n"
                  "                numbers += [float(text == c) if text else float(\"nan\")\n"
                  "                            for c in categories]\n"
                  "        table.append(numbers)\n"
                  "    return torch.tensor(table)\n");
}

void torch_input_names(const struct torch_input *t, struct buf *out)
{
    const struct json *classes = classes_of(t), *columns = columns_of(t);
    if (classes) {
        buf_puts(out, "\nCLASSES = ");
        put_list(out, classes);
        buf_putc(out, '\n');
    }
    if (columns)
        put_columns(columns, out);
}

/* How a number of each feature lies beside a sample. */
static struct shape feature_shape(const struct torch_input *t)
{
    size_t count = t->p->features;
    return t->input.rank == 3 ? (struct shape){3, {count, 1, 1}} : (struct shape){1, {count}};
}

static void put_buffers(const struct torch_input *t, struct buf *out)
{
    const struct preprocessing *p = t->p;
    if (fills(t))
        put_buffer(out, "input_fill", p->fill, NULL, p->places, &t->input);
    if (scales(t)) {
        struct shape s = feature_shape(t);
        put_buffer(out, "input_shift", p->shift, NULL, p->features, &s);
        put_buffer(out, "input_factor", p->factor, NULL, p->features, &s);
    }
    if (scales_targets(t)) {
        put_buffer(out, "target_shift", NULL, p->target_shift, p->targets, &t->output);
        put_buffer(out, "target_unit", NULL, p->target_unit, p->targets, &t->output);
    }
}

void torch_input_methods(const struct torch_input *t, struct buf *out)
{
    bool bytes = t->p && t->p->bytes, flatten = t->flatten && t->input.rank > 1;
    put_buffers(t, out);
    if (!bytes && !fills(t) && !scales(t) && !scales_targets(t) && !flatten)
        return;
    buf_puts(out, "\n    def forward(self, x):\n");
    if (bytes)
        buf_puts(out, "        if x.is_floating_point() and bool((x != x.floor()).any()):\n"
                      "            raise ValueError(\"fractions; allowed: bytes, 0 to 255\")\n"
                      "        x = x.to(next(self.parameters()).dtype) * (1 / 255)\n");
    if (fills(t))
        buf_puts(out, "        x = torch.where(torch.isfinite(x), x, self.input_fill)\n");
    if (scales(t))
        buf_puts(out, "        x = (x - self.input_shift) * self.input_factor\n");
    if (flatten)
        buf_puts(out, "        x = x.flatten(1)\n");
    buf_puts(out, scales_targets(t)
                      ? "        return super().forward(x) * self.target_unit + self.target_shift\n"
                      : "        return super().forward(x)\n");
}
