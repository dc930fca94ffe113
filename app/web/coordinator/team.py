"""The coordinators: who they are, what each may do and see; inviting, closing, opening again."""

from __future__ import annotations

from collections.abc import Collection

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import EmailField, RadioField, SelectChoice, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, ValidationError
from wtforms.widgets import CheckboxInput

from app.i18n import _, _l, page_locale
from app.models import Coordinator
from app.security import signed_in_coordinator
from app.services import invitations, people, second_factor, team
from app.services.coordinators import LONGEST_NAME, Role
from app.services.errors import Conflict, Invalid
from app.services.scope import EVERYWHERE
from app.web.addresses import public_address
from app.web.coordinator import blueprint

ADMINISTRATOR, ALL_ZONES, ZONES = "administrator", "all_zones", "zones"


class WhoForm(FlaskForm):
    """Who is meant."""

    name = StringField(
        _l("Name"),
        [
            InputRequired(_l("Give the coordinator's name.")),
            Length(max=LONGEST_NAME, message=_l("At most 120 characters, please.")),
        ],
    )
    email = EmailField(
        _l("E-mail address"),
        [InputRequired(_l("Give the coordinator's e-mail address.")), Length(max=254)],
    )


class RoleForm(FlaskForm):
    """What somebody may do and see."""

    role = RadioField(
        _l("What may they do?"),
        [InputRequired(_l("Choose what they may do."))],
        choices=[
            SelectChoice(ZONES, _l("See and look after the families of some zones")),
            SelectChoice(ALL_ZONES, _l("All zones: also vet volunteers, match and publish")),
            SelectChoice(
                ADMINISTRATOR, _l("Administrator: also invite coordinators and set the programme")
            ),
        ],
    )
    zones = SelectMultipleField(_l("Zones"), coerce=int, option_widget=CheckboxInput())

    def offer_zones(self) -> None:
        """Set the zones that can be chosen."""
        locale = page_locale()
        self.zones.choices = [
            SelectChoice(zone.id, zone.name_in(locale)) for zone in people.list_zones(EVERYWHERE)
        ]

    @property
    def chosen(self) -> Role:
        """The role, where the form is valid."""
        zone_ids: Collection[int] | None = self.zones.data if self.role.data == ZONES else None
        return Role(self.role.data == ADMINISTRATOR, zone_ids)

    def validate_zones(self, field: SelectMultipleField) -> None:
        """Refuse, at the boxes, a role of some zones without one."""
        if self.role.data == ZONES and not field.data:
            raise ValidationError(_("Choose at least one zone, or all zones."))


class InvitationForm(WhoForm, RoleForm):
    """Whom to invite, and as what."""


@blueprint.get("/team")
def coordinators() -> ResponseReturnValue:
    """All coordinators with what they may do, and the invitations that wait."""
    return render_template(
        "coordinator/team.html",
        team=team.list_team(),
        invitations=invitations.open_invitations(),
        zones={zone.id: zone for zone in people.list_zones(EVERYWHERE)},
        own_id=signed_in_coordinator().id,
        second_factor=second_factor.is_asked(),
    )


@blueprint.route("/team/invite", methods=["GET", "POST"])
def invite() -> ResponseReturnValue:
    """Offer somebody an account; the answer shows the link this once."""
    form = InvitationForm()
    form.offer_zones()
    refused, status = "", 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            invitation, token = invitations.invite(
                form.email.data, form.name.data, form.chosen, signed_in_coordinator()
            )
        except (Conflict, Invalid) as refusal:
            refused, status = str(refusal), refusal.status
        else:
            return render_template(
                "coordinator/invitation_link.html",
                invitation=invitation,
                link=public_address("invitation.accept", token=token),
            )
    return render_template("coordinator/invite.html", form=form, refused=refused), status


@blueprint.post("/team/invitations/<int:invitation_id>/take-back")
def take_invitation_back(invitation_id: int) -> ResponseReturnValue:
    """End an invitation before it is accepted."""
    row = invitations.take_back(invitation_id, signed_in_coordinator())
    flash(_("The invitation of %(name)s no longer opens.", name=row.name), "good")
    return redirect(url_for(".coordinators"), 303)


@blueprint.route("/team/<int:coordinator_id>", methods=["GET", "POST"])
def change_role(coordinator_id: int) -> ResponseReturnValue:
    """Change what a coordinator may do and see."""
    row = team.get_coordinator(coordinator_id)
    form = RoleForm(data={"role": _role_of(row), "zones": [zone.zone_id for zone in row.zones]})
    form.offer_zones()
    refused, status = "", 400 if request.method == "POST" else 200
    if form.validate_on_submit():
        try:
            row = team.change_role(coordinator_id, form.chosen, signed_in_coordinator())
        except (Conflict, Invalid) as refusal:
            refused, status = str(refusal), refusal.status
        else:
            flash(_("What you changed for %(name)s is kept.", name=row.name), "good")
            return redirect(url_for(".coordinators"), 303)
    page = render_template(
        "coordinator/coordinator.html", coordinator=row, form=form, refused=refused
    )
    return page, status


@blueprint.post("/team/<int:coordinator_id>/close")
def close_account(coordinator_id: int) -> ResponseReturnValue:
    """Close an account; open sessions end."""
    row = team.close_account(coordinator_id, signed_in_coordinator())
    flash(_("The account of %(name)s is closed.", name=row.name), "good")
    return redirect(url_for(".coordinators"), 303)


@blueprint.post("/team/<int:coordinator_id>/open")
def open_account(coordinator_id: int) -> ResponseReturnValue:
    """Open a closed account again."""
    row = team.open_account(coordinator_id, signed_in_coordinator())
    flash(_("The account of %(name)s is open again.", name=row.name), "good")
    return redirect(url_for(".coordinators"), 303)


def _role_of(row: Coordinator) -> str:
    if row.is_administrator:
        return ADMINISTRATOR
    return ALL_ZONES if row.all_zones else ZONES
