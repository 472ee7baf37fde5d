/* The files of the report's page, as they stand in LoggerHTML/Page. */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

typedef enum report_page_part {
  REPORT_PAGE_HTML,
  REPORT_PAGE_CSS,
  REPORT_PAGE_JS, /* all scripts, one after the other */
} report_page_part;

/* Zero-terminated; lives as long as the process. */
const char *_Nonnull report_page_text(report_page_part part);

#endif
