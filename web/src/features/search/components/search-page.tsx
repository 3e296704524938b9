import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { Page, PageHeader } from "@/components/page";
import { usePageTitle } from "@/lib/page-title";
import { filtersFrom, paramsOf } from "../model/filters";
import { SearchView } from "./search-view";

/** `/search?q=…`: through all of one's rooms. The filters are in the address, so that Back and links keep them. */
export function SearchPage() {
  const { t } = useTranslation("search");
  const [search, setSearch] = useSearchParams();
  usePageTitle(t("title"));
  return (
    <Page header={<PageHeader title={t("title")} />}>
      <SearchView
        filters={filtersFrom(search)}
        onFilters={(filters) => setSearch(paramsOf(filters), { replace: true })}
      />
    </Page>
  );
}
