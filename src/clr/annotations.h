/* annotations.h: objects that an expression hung onto tokens of a JSON or XML tree. Few do, so they are one list of the run rather
 * than a field of every token.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/native.h"

/* Rows of AddAnnotation, Annotation, Annotations and RemoveAnnotations for the type of owners. */
#define ANNOTATION_ROWS(type) \
    M(type, "void AddAnnotation(object annotation)", annotation_add), \
    M(type, "object Annotation(Type type)", annotation_of_type), \
    M(type, "T Annotation<T>()", annotation_of), \
    M(type, "IEnumerable<object> Annotations(Type type)", annotations_of_type), \
    M(type, "IEnumerable<T> Annotations<T>()", annotations_of), \
    M(type, "void RemoveAnnotations(Type type)", annotations_remove_type), \
    M(type, "void RemoveAnnotations<T>()", annotations_remove)

bool annotation_add(struct call *c);
bool annotation_of_type(struct call *c);
bool annotation_of(struct call *c);
bool annotations_of_type(struct call *c);
bool annotations_of(struct call *c);
bool annotations_remove_type(struct call *c);
bool annotations_remove(struct call *c);
