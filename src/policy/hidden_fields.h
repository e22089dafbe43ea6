/* hidden_fields.h: a note for documents that read what only trusted proxies may say, where no proxy is trusted.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

struct compiler;
struct doc_text;

void hidden_fields_expression(struct compiler *c, const struct doc_text *text);
