// Where a declaration starts, which newlines count, and the text in strings: spec/01-lexical.md and spec/02-grammar.md.
//
// A declaration's keyword in the first column starts a declaration, whatever was left open before it. The scanner says so
// even where the grammar does not expect it, and so does it with the newline that ends a string: that is what keeps a
// forgotten brace or quote from reaching into the next declaration.

#include "tree_sitter/parser.h"
#include <stdlib.h>
#include <string.h>

enum Token {
    DECLARATION_START,
    NEWLINE,
    QUOTED_TEXT,
    TRIPLE_TEXT,
    COMMENT,
    // Expected nowhere: when it is, the parser is recovering from an error and expects everything.
    NEVER,
};

static const char *const DECLARATIONS[] = {
    "mlp",  "pipeline", "use",   "param",  "secret",  "schema", "data", "component",
    "step", "tune",     "gate",  "model",  "deploy",  "monitor", "on",  "test",
};

// A line that starts with one of these goes on with the line above it, unless the word is the name of a member.
static const char *const CONTINUATIONS[] = {
    "and", "or", "when", "else", "after", "for", "because", "min_support", "unless", "fails",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
// Longer than any word in the lists.
#define LONGEST 16

void *tree_sitter_mlp_external_scanner_create(void) { return NULL; }
void tree_sitter_mlp_external_scanner_destroy(void *payload) { (void)payload; }
unsigned tree_sitter_mlp_external_scanner_serialize(void *payload, char *buffer) {
    (void)payload;
    (void)buffer;
    return 0;
}
void tree_sitter_mlp_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {
    (void)payload;
    (void)buffer;
    (void)length;
}

static bool is_space(int32_t c) { return c == ' ' || c == '\t' || c == '\r' || c == 0xFEFF; }

static bool is_word(int32_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool among(const char *word, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

// Reads a word; one that is in no list may be cut short.
static void read_word(TSLexer *lexer, char word[LONGEST]) {
    size_t length = 0;
    while (is_word(lexer->lookahead)) {
        if (length + 1 < LONGEST) {
            word[length++] = (char)lexer->lookahead;
        }
        lexer->advance(lexer, false);
    }
    word[length] = '\0';
}

// Text up to the quote, an escape, a hole or the end of the line.
static bool quoted_text(TSLexer *lexer) {
    bool some = false;
    for (;; some = true) {
        switch (lexer->lookahead) {
        case '"':
        case '\\':
        case '\n':
            lexer->mark_end(lexer);
            return some;
        case '\r':
            // Before a newline it is none of the text.
            lexer->mark_end(lexer);
            lexer->advance(lexer, false);
            if (lexer->lookahead == '\n') {
                return some;
            }
            continue;
        case '$':
            lexer->mark_end(lexer);
            lexer->advance(lexer, false);
            if (lexer->lookahead == '{') {
                return some;
            }
            continue;
        default:
            if (lexer->eof(lexer)) {
                lexer->mark_end(lexer);
                return some;
            }
            lexer->advance(lexer, false);
        }
    }
}

// Whether `"""` follows anywhere.
static bool closes(TSLexer *lexer) {
    for (int quotes = 0; !lexer->eof(lexer); lexer->advance(lexer, false)) {
        quotes = lexer->lookahead == '"' ? quotes + 1 : 0;
        if (quotes == 3) {
            return true;
        }
    }
    return false;
}

// Text up to `"""`, an escape, a hole, or a line that starts like a declaration. Such a line is text if the string is
// closed below it; else it is the declaration.
static bool triple_text(TSLexer *lexer) {
    lexer->result_symbol = TRIPLE_TEXT;
    for (bool some = false;; some = true) {
        if (lexer->eof(lexer)) {
            lexer->mark_end(lexer);
            return some;
        }
        switch (lexer->lookahead) {
        case '"':
            lexer->mark_end(lexer);
            for (int quotes = 0; lexer->lookahead == '"'; lexer->advance(lexer, false)) {
                if (++quotes == 3) {
                    return some;
                }
            }
            break;
        case '\\':
            lexer->mark_end(lexer);
            return some;
        case '$':
            lexer->mark_end(lexer);
            lexer->advance(lexer, false);
            if (lexer->lookahead == '{') {
                return some;
            }
            break;
        case '\n': {
            char word[LONGEST];
            if (some) {
                lexer->mark_end(lexer);
            }
            lexer->advance(lexer, false);
            if (!some) {
                lexer->mark_end(lexer);
            }
            read_word(lexer, word);
            if (!among(word, DECLARATIONS, COUNT(DECLARATIONS))) {
                break;
            }
            if (!some && !closes(lexer)) {
                lexer->result_symbol = DECLARATION_START;
            }
            return true;
        }
        default:
            lexer->advance(lexer, false);
        }
    }
}

// What stands at the start of a line.
enum Line { OWN, GOES_ON, DECLARATION };

static enum Line line_of(TSLexer *lexer, bool first_column) {
    switch (lexer->lookahead) {
    case '+':
    case '-':
    case '*':
    case '/':
    case '<':
    case '>':
    case '?':
    case '!':
    case '=':
    // A brace on a line of its own opens the block of the line above; before one that closes, nothing has to end.
    case '{':
    case '}':
        return GOES_ON;
    case '.':
        lexer->advance(lexer, false);
        return lexer->lookahead == '.' ? GOES_ON : OWN;
    default:
        break;
    }
    if (!is_word(lexer->lookahead)) {
        return OWN;
    }
    char word[LONGEST];
    read_word(lexer, word);
    if (first_column && among(word, DECLARATIONS, COUNT(DECLARATIONS))) {
        return DECLARATION;
    }
    if (!among(word, CONTINUATIONS, COUNT(CONTINUATIONS))) {
        return OWN;
    }
    while (is_space(lexer->lookahead)) {
        lexer->advance(lexer, false);
    }
    if (lexer->lookahead == '=') {
        lexer->advance(lexer, false);
        return lexer->lookahead == '=' ? GOES_ON : OWN;
    }
    return lexer->lookahead == ':' ? OWN : GOES_ON;
}

bool tree_sitter_mlp_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
    (void)payload;
    const bool recovering = valid[NEVER];
    const bool in_quoted = !recovering && valid[QUOTED_TEXT];
    if (!recovering && valid[TRIPLE_TEXT]) {
        return triple_text(lexer);
    }
    if (in_quoted) {
        if (quoted_text(lexer)) {
            lexer->result_symbol = QUOTED_TEXT;
            return true;
        }
        if (lexer->lookahead != '\n') {
            return false;
        }
    }

    // The token of a newline holds the white space before and after it.
    const bool separates = in_quoted || (valid[NEWLINE] && !recovering);
    bool newline = false;
    while (is_space(lexer->lookahead) || lexer->lookahead == '\n') {
        newline |= lexer->lookahead == '\n';
        lexer->advance(lexer, !separates);
    }
    if (!newline && !(valid[DECLARATION_START] && !recovering)) {
        return false;
    }
    lexer->mark_end(lexer);
    const bool first_column = lexer->get_column(lexer) == 0;
    // Comments between two lines belong to neither, but hide what the next one starts with.
    const bool comment = lexer->lookahead == '#';
    while (separates && lexer->lookahead == '#') {
        while (lexer->lookahead != '\n' && !lexer->eof(lexer)) {
            lexer->advance(lexer, false);
        }
        while (is_space(lexer->lookahead) || lexer->lookahead == '\n') {
            lexer->advance(lexer, false);
        }
    }
    if (lexer->eof(lexer)) {
        return false;
    }
    const bool word_follows = is_word(lexer->lookahead);
    const enum Line line = line_of(lexer, first_column && !comment);
    // Where the declaration above may end, any word in the first column starts another one, if a misspelled one.
    const bool misspelled = newline && first_column && !comment && line == OWN && !recovering && valid[DECLARATION_START];
    if (line == DECLARATION || (misspelled && word_follows)) {
        lexer->result_symbol = DECLARATION_START;
        return true;
    }
    // A string ends with its line, whatever follows.
    lexer->result_symbol = NEWLINE;
    return newline && (in_quoted || (separates && line == OWN));
}
