#include "report_page.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const char html[] = {
#embed "../LoggerHTML/Page/page.html" suffix(, 0)
};
static const char css[] = {
#embed "../LoggerHTML/Page/page.css" suffix(, 0)
};
static const char js[] = {
#embed "../LoggerHTML/Page/format.js" suffix(, )
#embed "../LoggerHTML/Page/chart.js" suffix(, )
#embed "../LoggerHTML/Page/gallery.js" suffix(, )
#embed "../LoggerHTML/Page/main.js" suffix(, 0)
};

const char *report_page_text(report_page_part part) {
  switch (part) {
    case REPORT_PAGE_HTML: return html;
    case REPORT_PAGE_CSS: return css;
    default: return js;
  }
}
