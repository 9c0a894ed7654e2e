#include "client/client.h"

#include "sweep/require.h"

static void print_table(struct client *c, const struct json *list)
{
    static const struct table_column columns[] = {
        {"name", false}, {"format", false}, {"folder", false}};
    struct render_table t;
    struct buf text = {0};
    render_table_init(&t, columns, ARRAY_LEN(columns));
    for (const struct json *v = json_first(list); v != NULL; v = json_next(v)) {
        render_table_add(&t, member_string(v, "name", "-"), TONE_PLAIN);
        render_table_add(&t, member_string(v, "format", "-"), TONE_PLAIN);
        render_table_add(&t, member_string(v, "path", "-"), TONE_PLAIN);
    }
    render_table_print(&t, c->width, c->colour, &text);
    client_print(c, &text);
    render_table_finish(&t);
}

int cmd_data(struct client *c)
{
    struct rpc_reply reply;
    int status = client_call(c, "data", "{}", &reply);
    if (status != CLIENT_DONE)
        return status;
    const struct json *list = json_get(reply.result, "datasets");
    if (c->json)
        client_print_json(c, reply.result);
    else if (json_first(list) == NULL)
        fputs("no data sets found; a package such as dataset-fashion-mnist installs one\n",
              c->out);
    else
        print_table(c, list);
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}
