#!/bin/sh
# Collect the translatable texts of the program into the catalogues, keeping what is translated.
set -eu
cd "$(dirname "$0")/.."

template=var/messages.pot
pybabel() {
    .venv/bin/python -m babel.messages.frontend --quiet "$@"
}

mkdir -p var
pybabel extract --mapping babel.cfg --output "$template" --project N9raw --copyright-holder "N9raw contributors" \
    --no-location --sort-output --no-wrap \
    -k _l -k lazy_ngettext:1,2 -k lazy_pgettext:1c,2 app
# The texts are written in English, so English needs no catalogue.
for language in fr ar; do
    pybabel update --input-file "$template" --output-dir app/translations --locale "$language" \
        --init-missing --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --no-wrap
done
