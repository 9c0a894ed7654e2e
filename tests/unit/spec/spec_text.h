/* The least of a specification, to write one around the part that a test is about. */
#ifndef TESTS_SPEC_TEXT_H
#define TESTS_SPEC_TEXT_H

#define DATA "\"data\":{\"name\":\"fashion-mnist\",\"validation\":10}"
#define DEPTH "\"parameters\":{\"depth\":{\"values\":[1,2]}}"
#define CAP "\"run_cap\":12"
/* A whole spec around one part. */
#define WITH_DATA(data) "{\"data\":" data "," DEPTH "," CAP "}"
#define WITH_PARAMETERS(parameters) "{" DATA ",\"parameters\":{" parameters "}," CAP "}"
#define WITH(member) "{" DATA "," DEPTH "," CAP "," member "}"

#endif
