/* The file `DATABASE.socket`: where the daemon that serves the database answers, for clients that
 * were started in another environment. One line: the socket's path. */
#ifndef SWEEPD_SOCKET_NOTE_H
#define SWEEPD_SOCKET_NOTE_H

/* What cannot be written is not: it is a help only. */
void socket_note_write(const char *database, const char *socket);
void socket_note_remove(const char *database);

#endif
