from bilevel_lang.errors import Diagnostic, Source, Span
from bilevel_lang.grammar.scanner import next_keyword
MAX_CHARACTERS = 1_000_000
MAX_TOKENS = 200_000
class TooManyWords(Exception): pass
def too_long(source): return Diagnostic("S1","too long",source=source)
def too_many_words(source): return Diagnostic("S1","too many",source=source)
def explain(source,text,error):
    pos=error.pos_in_stream if error.pos_in_stream is not None and error.line and error.line>0 else len(text)
    resume=next_keyword(text,pos+1)
    return Diagnostic("S1",f"cannot read this: {text[pos:pos+10]!r}",span=Span(pos,pos+1,max(1,error.line),max(1,error.column)),source=source),resume
